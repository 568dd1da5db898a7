"""Settings of the fault suite's processes: the product's, with a channel layer that loses hints when told to."""

from chatapp import settings as product
from chatapp.settings import *  # noqa: F403

CHANNEL_LAYERS = {
    "default": {**product.CHANNEL_LAYERS["default"], "BACKEND": "tests.faults.lossy.LossyLayer"},
}
