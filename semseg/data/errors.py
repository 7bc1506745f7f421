"""Errors that say where they came from and stay what they were."""


def prefixed(error: Exception, where: str) -> Exception:
    """An error of the same type with `where: ` before its message, to be raised `from error`.

    A type that can't be made from one text, or shows it otherwise, becomes a RuntimeError.
    """
    message = f"{where}: {error}"
    try:
        same = type(error)(message)
    except Exception:  # a class of someone's own, which wants other arguments
        return RuntimeError(f"{where}: {error!r}")
    return same if str(same) == message else RuntimeError(f"{where}: {error!r}")
