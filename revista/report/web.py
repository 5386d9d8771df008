"""The reports of an archive over HTTP, for reading only: what the Prefect UI links to.

`/` lists the issues, `/ISSUE` is the issue's report, drawn from the archive when it is asked for. Start it with
`python -m revista.report.web`; `make serve` does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from markupsafe import Markup, escape

from revista.errors import RevistaError
from revista.report import write_report
from revista.store import Archive
from revista.totals import archive_totals, read_summary

if TYPE_CHECKING:
    from starlette.applications import Starlette

# The list has no script; a report brings a policy of its own in its first lines, which this one must not widen.
_HEADERS = {
    "Content-Security-Policy": "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; connect-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_PAGE = Markup(
    '<!doctype html><html lang="es"><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width">'
    "<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}"
    "table{{border-collapse:collapse;width:100%}}td,th{{padding:.3rem .6rem;border-bottom:1px solid #ccc;"
    "text-align:right}}td:first-child,th:first-child{{text-align:left}}</style><h1>{title}</h1>{body}</html>"
)


def application(archive: Path) -> Starlette:
    """The web application for an archive folder, which may not be there yet."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    def show_list(request: Request) -> HTMLResponse:
        return HTMLResponse(_list(archive), headers=_HEADERS)

    def show_issue(request: Request) -> HTMLResponse:
        issue = request.path_params["issue"]
        try:
            with Archive(archive) as store, tempfile.TemporaryDirectory() as folder:
                if issue not in store.issues():
                    return HTMLResponse(_trouble(f"{issue}: no está en el archivo"), 404, headers=_HEADERS)
                content = write_report(store, issue, Path(folder) / "report.html").read_bytes()
        except RevistaError as error:
            return HTMLResponse(_trouble(str(error)), 500, headers=_HEADERS)
        return HTMLResponse(content, headers=_HEADERS)

    return Starlette(routes=[Route("/", show_list), Route("/{issue}", show_issue)])


def _list(archive: Path) -> str:
    try:
        store = Archive(archive)
    except RevistaError as error:
        return _trouble(str(error))
    totals = archive_totals(store)
    head = ("número", "páginas", "imágenes", "descritas por un modelo", "revisadas", "incidencias")
    rows = [Markup("<tr>{}</tr>").format(Markup("").join(Markup("<th>{}</th>").format(name) for name in head))]
    for issue in store.issues():
        summary = read_summary(store, issue)
        cells: list[object] = [Markup('<a href="/{0}">{0}</a>').format(issue)]
        if summary is None:
            cells += ["sin terminar", "", "", "", ""]
        else:
            t = summary.totals
            cells += [t.pages, t.pictures, t.described_by_model, summary.reviewed, t.problems]
        rows.append(Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(c) for c in cells)))
    t = totals.totals
    line = f"{totals.issues} números, {t.pages} páginas, {t.pictures} imágenes, {t.described_by_model} descritas"
    body = Markup("<p>{}</p><table>{}</table>").format(line, Markup("").join(rows))
    return _PAGE.format(title="Archivo", body=body)


def _trouble(text: str) -> str:
    return _PAGE.format(title="No se puede mostrar", body=Markup("<p>{}</p>").format(escape(text)))


def _main(
    archive: Annotated[Path, typer.Option("--archive", "-a", envvar="REVISTA_ARCHIVE")] = Path("archive"),
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's own: 0.0.0.0.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 4201,
) -> None:
    import uvicorn

    uvicorn.run(application(archive), host=host, port=port, log_level="warning")


if __name__ == "__main__":
    typer.run(_main)
