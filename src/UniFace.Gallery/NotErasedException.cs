namespace UniFace.Gallery;

/// <summary>
/// People were removed, so that no search finds them, but the store's files still contain bytes of them. The next removal erases them.
/// </summary>
#pragma warning disable RCS1194, CA1032 // Only galleries throw it.
public sealed class NotErasedException : UniFaceException
#pragma warning restore RCS1194, CA1032
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
