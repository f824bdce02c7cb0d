namespace UniFace.Gallery;

/// <summary>
/// The inner exception of the <see cref="UniFaceException"/> that a gallery's RemoveAsync throws where people are removed, so that nobody finds them any more,
/// but bytes of them are still in the store's files. Removing again, whomever, finishes it.
/// </summary>
public sealed class NotErasedException : Exception
{
    /// <summary>Bytes of removed people are left.</summary>
    public NotErasedException(string message)
        : base(message)
    {
    }

    /// <summary>Bytes of removed people are left, for what was thrown below.</summary>
    public NotErasedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Bytes of removed people are left.</summary>
    public NotErasedException()
    {
    }

    /// <summary>True where this call removed somebody; false where it only tried to erase what an earlier one had removed.</summary>
    public bool Removed { get; private init; }

    /// <summary>What RemoveAsync throws where erasing failed.</summary>
    internal static UniFaceException Of(UniFaceException failed, bool removed) => new(
        removed && failed.InnerException is not null ? $"removed, but not erased from the files yet; remove again when this is mended: {failed.Message}" : failed.Message,
        new NotErasedException(failed.Message, failed) { Removed = removed });
}
