"""CIFAR-100: 32x32 colour images of a hundred classes in twenty groups (Krizhevsky, 2009)."""

from __future__ import annotations

from addax.datasets import cifar
from addax.datasets.image_classes import Split
from addax.datasets.store import RemoteFile
from addax.errors import InvalidArgumentError
from addax.naming import did_you_mean

CLASS_NAMES = tuple(
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
    camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
    cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
    lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
    oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
    spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """.split()  # noqa: SIM905 - names alone read better than names in quotes
)
COARSE_CLASS_NAMES = tuple(
    """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices
    household_furniture insects large_carnivores large_man-made_outdoor_things
    large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals
    non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
    """.split()  # noqa: SIM905
)

_LAYOUT = cifar.Layout(
    dataset="cifar100",
    archive=RemoteFile(
        "cifar-100-binary.tar.gz",
        "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    ),
    folder="cifar-100-binary",
    train=("train.bin",),
    test="test.bin",
    label_classes=(20, 100),
)
_LABEL_MODES = ("coarse", "fine")  # in the order of a record's bytes


def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """CIFAR-100 as uint8 arrays: images (n, 32, 32, 3) with values 0 to 255, labels (n, 1).

    ``label_mode`` is ``"fine"`` for the hundred classes or ``"coarse"`` for their twenty groups.
    The complete set has 50,000 training and 10,000 test images. Looks for the folder
    ``cifar-100-binary`` or the archive ``cifar-100-binary.tar.gz`` in
    ``$ADDAX_DATA_HOME/cifar100``, then in Keras's cache folder, then downloads the archive. Files
    of the folder may be gzipped.

    Raises:
        InvalidArgumentError: another label mode.
        IoError: a file is missing and cannot be had, or is damaged.
    """
    if label_mode not in _LABEL_MODES:
        raise InvalidArgumentError(
            "[load_data] label_mode must be 'fine' or 'coarse', got "
            f"{label_mode!r}{did_you_mean(label_mode, _LABEL_MODES)}"
        )
    return cifar.load(_LAYOUT, _LABEL_MODES.index(label_mode))
