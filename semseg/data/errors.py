"""Errors that say where they came from and stay what they were."""


def prefixed(error: Exception, where: str) -> Exception:
    """An error of the same type with `where: ` before its message, to be raised `from error`.

    A type that can't be made from one text, or shows it otherwise, becomes a RuntimeError; one with
    more to it than its text makes itself again in its method `with_message(text)`. What would end
    someone's loop in silence becomes a RuntimeError too.
    """
    message = f"{where}: {error}"
    if isinstance(error, IndexError | StopIteration):
        return RuntimeError(f"{where}: {error!r}")
    try:
        same = getattr(error, "with_message", type(error))(message)
    except Exception:  # a class of someone's own, which wants other arguments
        return RuntimeError(f"{where}: {error!r}")
    return same if str(same) == message else RuntimeError(f"{where}: {error!r}")
