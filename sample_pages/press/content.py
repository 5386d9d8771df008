"""The words of the issue. All of them were written for it: the names, the shops and the events are invented.

The spelling is today's, so that readers and dictionaries agree on it.
"""

from .typeset import BREAK, Paragraph


def _paragraphs(text: str) -> list[Paragraph]:
    """Split at empty lines; a line of three asterisks becomes a break."""
    blocks = (" ".join(block.split()) for block in text.strip().split("\n\n"))
    return [BREAK if block == BREAK.text else Paragraph(block) for block in blocks]


CONTENTS = (
    ("La intrépida aviadora, retrato", "4"),
    ("El abanico de sándalo, cuento, por Lucila Armendral", "5"),
    ("Nuestro concurso de fotografías", "7"),
    ("Crónica del mes, por el Duende de la Linterna", "9"),
    ("La colección de un curioso", "10"),
)

PORTRAIT_TITLE = "LA INTRÉPIDA AVIADORA"
PORTRAIT_NOTE = "Retratada para nuestra revista con el traje de sus vuelos de altura."
PORTRAIT_CREDIT = "Fot. de nuestro archivo."

STORY_TITLE = "EL ABANICO DE SÁNDALO"
STORY_AUTHOR = "POR LUCILA ARMENDRAL"
STORY = _paragraphs("""
AQUELLA tarde de septiembre, mientras la lluvia golpeaba los cristales de la galería y los criados encendían las
primeras lámparas, doña Beatriz abrió por fin el viejo estuche de sándalo que ninguno de nosotros había visto
más que cerrado.

—Ustedes me han pedido muchas veces una historia —dijo, acomodándose en el sillón de mimbre—. Voy a contarles la
única que sé.

Sobre el terciopelo azul, un poco gastado en los bordes, descansaba un abanico. Era pequeño, de varillas caladas
como encaje, y el país, pintado a la acuarela, mostraba un jardín con una fuente, dos palomas y una rama de
almendro. Al abrirlo, se extendió por la sala un perfume tan tenue que más parecía un recuerdo que un olor.

Doña Beatriz tenía entonces setenta años y una voz muy joven. Hablaba despacio, mirando hacia el patio, como si
leyese en la lluvia.

—Yo acababa de cumplir los dieciocho —comenzó—, y vivíamos en la casona de los balcones verdes que ustedes no
alcanzaron a conocer. Mi padre, que era hombre severo, recibía los jueves. Venían abogados, marinos, algún poeta
sin fortuna y un ingeniero recién llegado de provincias, que hablaba poco y bailaba mal.

—¡El abuelo! —exclamó la menor de las nietas.

—No te adelantes, niña; las historias, como los valses, tienen su compás.

Reímos todos. Afuera, el viento deshojaba las últimas rosas del jardín y traía de la calle el pregón de un
vendedor de flores.

—El ingeniero —prosiguió doña Beatriz— se sentaba siempre junto a la ventana, con el sombrero sobre las
rodillas, y escuchaba la música como quien escucha una lección difícil. Nunca me dirigió un cumplido. Una noche,
sin embargo, al despedirse, dejó sobre el piano este estuche, sin tarjeta y sin una sola palabra.

* * *

Durante tres semanas guardé el abanico en el fondo de mi armario. No me atrevía a usarlo, porque aceptar un
regalo equivalía entonces a dar una respuesta, y tampoco a devolverlo, porque devolverlo era dar otra. Mi hermana
Mercedes, que lo sabía todo, me aconsejaba paciencia; mi tía Dolores, que no sabía nada, me aconsejaba lo mismo.

Llegó al cabo el baile de la Sociedad. Había faroles en los árboles, guirnaldas de papel en las columnas y una
orquesta traída de lejos. Me puse el vestido blanco, el collar de mi madre, y, en el último momento, cuando ya
esperaba el coche, tomé el abanico y bajé corriendo las escaleras, temerosa de arrepentirme.

Él estaba junto a la puerta. Al verme, palideció; después hizo una reverencia muy torpe y me pidió el primer
vals. Bailamos en silencio. Yo contaba los compases para no mirarlo, y él, según supe más tarde, contaba los
míos.

—Señorita —murmuró cuando cesó la música—, ese abanico perteneció a mi abuela. Ella decía que solamente se abre
una vez.

—¿Una vez? —pregunté—. Yo lo he abierto ya muchas.

—Una vez de verdad —respondió—. Las otras no cuentan.

No supe qué contestar. Entonces, sin pensarlo, lo abrí muy despacio delante de todos, varilla por varilla, hasta
que apareció entero el jardín con su fuente y sus palomas. En el salón se hizo un silencio extraño; mi padre,
desde la mesa de tresillo, levantó los ojos de las cartas y volvió a bajarlos, sonriendo.

Nos casamos en enero. El ingeniero no aprendió nunca a bailar; pero construyó puentes, acueductos y una casa
frente al mar donde nacieron tus padres, niña, y donde aprendieron a caminar todos ustedes.

* * *

Doña Beatriz calló. La lluvia había cesado y un rayo de sol, el último de la tarde, entraba por la galería y
encendía los colores de la acuarela. Alguien preguntó si era cierto que el abanico no había vuelto a abrirse.

—Hasta hoy, nunca —dijo—. Hace un año que él falta de esta casa, y esta mañana, al despertar, me pareció oír un
vals en el patio. Pensé que era tiempo de contarles la historia, porque las cosas que no se cuentan acaban por no
haber sucedido.

La menor de las nietas se acercó, tomó el abanico con la punta de los dedos y lo miró a contraluz. Entre las
varillas, casi borrada por los años, descubrió una línea escrita con tinta violeta: «Para la que sepa esperar».

—¿Y usted la había leído, abuela?

—Esta es la primera vez que me pongo los lentes para mirarlo —contestó ella, y se echó a reír con aquella risa de
dieciocho años que la lluvia no había podido llevarse.

Cerramos el estuche. En el patio, sobre las losas mojadas, comenzaban a cantar los grillos, y desde la calle, muy
lejos, llegaba el pregón del florero, que se iba perdiendo como una música entre los árboles.
""")

CONTEST_TITLE = "CONCURSO DE FOTOGRAFÍAS"
CONTEST_NOTE = "Las pruebas premiadas en nuestro certamen de aficionados"
CONTEST_FIRST = (
    "Arriba, a la izquierda: «Mirada fija», retrato de un gato doméstico, primer premio. A la derecha: un pabellón "
    "chino entre los árboles, a la orilla del lago."
)
CONTEST_SECOND = (
    "Abajo, a la izquierda: detalle del tejado del mismo pabellón, con sus aleros y galerías. A la derecha: una dalia "
    "abierta, que obtuvo mención honorífica."
)

COFFEE_BRAND = ("CAFÉ", "LA GAVIOTA")
COFFEE_MOTTO = "El que se toma dos veces"
COFFEE_PRAISE = (
    "Una taza al despertar, otra después del almuerzo y la tercera cuando llega la visita: he aquí el secreto de una "
    "casa alegre."
)
COFFEE_HOUSE = ("Hijos de Quintanal y Compañía", "MUELLE DE LA SIRENA, 9 — HABANA")

CHRONICLE_TITLE = "CRÓNICA DEL MES"
CHRONICLE_AUTHOR = "POR EL DUENDE DE LA LINTERNA"
CHRONICLE = _paragraphs("""
LLEGA septiembre con sus tardes de agua y sus noches de teatro, y la ciudad, que parecía dormida bajo los toldos
del verano, vuelve a abrir sus balcones. Junto al mar se pasean de nuevo los coches; en los salones se descubren
los espejos; y en las vidrieras de las modistas aparecen, tímidos todavía, los primeros terciopelos.

No hay en estos días conversación en que no se hable de fotografía. El arte que hasta ayer parecía secreto de unos
pocos profesionales ha entrado en las casas y hasta en los conventos. Todo el mundo tiene una
cámara, un trípode y una opinión sobre la luz.

Hemos visto a un caballero muy formal detenerse en mitad de un campo y permanecer una hora
entera inclinado ante su aparato, esperando que una nube se apartase. Cuando por fin logró su placa, el sol se
había puesto. No importa: la paciencia, dicen los entendidos, es la mitad de la fotografía, y la otra mitad es el
marco.

Entre los retratos que esta semana han llegado a nuestra redacción, ninguno tan digno como el de la dama que honra
esta página, vestida con el severo uniforme de la Armada. Hay en su mirada la serenidad de quien ha cruzado
muchos mares.

Y, para terminar, un consejo a nuestras lectoras: no guarden todavía los paraguas. El mes tiene treinta días, y el
cronista teme la lluvia.
""")
CAMERA_CAPTION = "Un aficionado dispone su cámara en mitad del campo."
CAMERA_CREDIT = "Fot. de nuestro archivo."
OFFICER_CAPTION = "Una dama de la Armada, en uniforme."
OFFICER_CREDIT = "Fot. de nuestro archivo."

COLLECTION_TITLE = "LA COLECCIÓN DE UN CURIOSO"
COLLECTION = _paragraphs("""
POCAS personas conocen el gabinete que guarda, en una calle tranquila de la ciudad, el coleccionista cuyas monedas
reproducimos. No hay en la puerta placa ni campanilla; se entra por un patio lleno de helechos, se sube una
escalera de caracol y se llega a una habitación donde todo es pequeño: los estantes, las lámparas y hasta las
sillas.

Allí, sobre paños oscuros, duermen las piezas antiguas. Las hay de plata, gastadas por manos que nadie recuerda;
las hay de bronce, verdes como el mar; y alguna conserva todavía el perfil de un rey o la cabeza de una diosa.

—Cada moneda —nos dice el dueño— es una carta que tardó dos mil años en llegar. Yo no las compro: las espero.

Por las noches las ordena en filas, las mira con una lente y las vuelve a guardar. No permite que se limpien. «El
polvo —asegura— también tiene fecha».

Al despedirnos nos regaló una copia de la fotografía que ilustra esta página, y nos hizo prometer que callaríamos
su nombre. Cumplimos gustosos la promesa.
""")

SADDLER_NAME = ("TALABARTERÍA", "EL ESTRIBO")
SADDLER_GOODS = "Monturas, arneses y fustas de la mejor piel. Se hacen composturas en el día."
SADDLER_ADDRESS = "Calle de la Noria, 14"
