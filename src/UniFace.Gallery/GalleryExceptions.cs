namespace UniFace.Gallery;

#pragma warning disable RCS1194, CA1032 // Only galleries throw these exceptions.

/// <summary>A stored record is damaged. The message names it and says how to repair the gallery.</summary>
internal sealed class DamagedRecordException : UniFaceException
{
    internal DamagedRecordException(string message, Exception? innerException = null)
        : base(message, innerException!)
    {
    }
}

/// <summary>
/// Another process moved the gallery to another model, restored it or changed its key since it was opened. It must be opened again before
/// anything can be enrolled or searched.
/// </summary>
public sealed class GalleryChangedException : UniFaceException
{
    internal GalleryChangedException(string path, string change)
        : base($"{path}: the gallery was {change} since it was opened; open it again")
    {
    }
}

/// <summary>
/// People were removed, so that no search finds them, but the store's files still contain bytes of them. The next removal erases them.
/// </summary>
public sealed class NotErasedException : UniFaceException
{
    internal NotErasedException(UniFaceException failure, bool removed)
        : base(
            removed && failure.InnerException is not null
                ? $"removed, but not erased from the files yet; remove again when this is solved: {failure.Message}"
                : failure.Message,
            failure)
    {
        Removed = removed;
    }

    /// <summary>True if this call removed a person; false if it only tried to erase what an earlier call removed.</summary>
    public bool Removed { get; }
}
