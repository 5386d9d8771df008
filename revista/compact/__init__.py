"""The small models that travel with the repository: BLIP's and CLIP's design over a convolutional image encoder.

`encoder` sees, `models` puts transformers' text side of BLIP and CLIP beside it. Both import torch at once: import
them inside the functions that need them. Trained by `revista.training`, loaded by `revista.captions.blip.Blip` and
`revista.ranking.clip.Clip` like the large checkpoints.
"""
