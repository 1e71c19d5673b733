"""How the authors' checkpoint files name their tensors: one module a repository.

Such a module holds

* ``NETWORKS``: our variant of each network that the repository released, by the name that
  ``zoo convert released FILE --as NAME`` takes;
* ``ORIGIN``: the repository;
* ``DROPPED``: beginnings of their keys that are left out, each with the reason;
* ``rename(key)``: our name of one of their tensors, without ``module.``; None if it has none;
* ``adapt(state)``, if need be: the renamed tensors as ours, e.g. a bias folded into BatchNorm;
* ``FRAMES``, if it is not 8: T of the clips that the released networks were trained with, of
  256 × 128 pixels;
* ``BACKBONES``, if need be: by name, the backbone of a network that is not built on the method's
  own.
"""

from types import ModuleType

from zoo.checkpoints.released import ap3d, bicnet, cosam, psta, sinet, ste_nvan, tclnet, tf_clip

LAYOUTS: tuple[ModuleType, ...] = (ste_nvan, ap3d, bicnet, cosam, psta, sinet, tclnet, tf_clip)
RELEASED: dict[str, ModuleType] = {name: layout for layout in LAYOUTS for name in layout.NETWORKS}
