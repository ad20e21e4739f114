"""What VGG-19 says of pictures: figures.py's style and content, kept from one run to the next.

The objective is fixed: it is stated in figures.py and depends on no recipe. A layer's style is the
squared distance of its Gram matrices from the painting's, relative to that of the unpainted photo;
a picture's style is the mean of relu1_1 to relu5_1. Content is the squared distance from the photo
at relu4_2, relative to that of a picture of noise.
"""

import hashlib
import json

from kit import images, painter, vgg
from kit import pairs as pairing
import figures
import teacher as teachers

KEPT = ("style", "content", "cast", "grain", "layers")  # of figures.Pair's; none knows a recipe


class Judge:
    """VGG-19, read from a file when it is first asked for what is not known yet."""

    def __init__(self, vgg19, path):
        """vgg19: the weights; path: where verdicts are kept, JSON."""
        self.vgg19, self.path, self.teacher = vgg19, path, None
        self.weights = pairing.digest(vgg19)
        try:
            self.known = json.loads(path.read_text())
        except (OSError, ValueError):
            self.known = {}

    def judge(self, pair, pictures):
        """[figures] of PIL pictures of the pair, all of one size, at which photo and painting are
        seen too."""
        size = max(pictures[0].size)
        keys = [self._key(pair, picture) for picture in pictures]
        unknown = [i for i, key in enumerate(keys) if key not in self.known]
        if unknown:
            judge = figures.Pair(self._read_teacher(), *(
                images.array(images.read_resized(path, size))
                for path in (pair.photo, pair.painting)))
            for i in unknown:
                found = judge.judge(images.array(pictures[i]))
                self.known[keys[i]] = {name: found[name] for name in KEPT}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            painter.write_json(self.path, self.known)
        return [self.known[key] for key in keys]

    def _key(self, pair, picture):
        sha = hashlib.sha256(picture.convert("RGB").tobytes())
        sha.update(f"{picture.size} {self.weights} {pairing.digest(pair.photo)} "
                   f"{pairing.digest(pair.painting)}".encode())
        return sha.hexdigest()

    def _read_teacher(self):
        if self.teacher is None:
            vgg.use_all_cores()
            self.teacher = teachers.read(self.vgg19)
        return self.teacher
