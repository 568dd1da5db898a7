from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """What one Run of an agent may spend, over all its attempts. Passing one ends it as failed, with the code `limit_reached`.

    `seconds` at work, without the time that it waits for people; `quiet_s` without a sign of progress: a text, a model's token,
    or the beginning or end of a step. `steps`; `requests` to models and the `tokens` that they read and wrote; `cost_usd`, for
    which the price of the model has to be known. None: what the settings say (`RUN_SECONDS` and those that follow it).
    """

    seconds: float | None = None
    quiet_s: float | None = None
    steps: int | None = None
    requests: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None
