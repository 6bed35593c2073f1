from ._loading import load_pretrained as load_pretrained
