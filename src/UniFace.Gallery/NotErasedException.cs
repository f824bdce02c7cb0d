namespace UniFace.Gallery;

/// <summary>
/// The inner exception of the <see cref="UniFaceException"/> that RemoveAsync throws if people were removed, so that no search finds them, but
/// the store's files still hold bytes of them. The next removal erases them.
/// </summary>
#pragma warning disable RCS1194, CA1032 // Only galleries throw it.
public sealed class NotErasedException : Exception
#pragma warning restore RCS1194, CA1032
{
    private NotErasedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>True if this call removed a person; false if it only tried to erase what an earlier call removed.</summary>
    public bool Removed { get; private init; }

    internal static UniFaceException Create(UniFaceException failure, bool removed) => new(
        removed && failure.InnerException is not null
            ? $"removed, but not erased from the files yet; remove again when this is solved: {failure.Message}"
            : failure.Message,
        new NotErasedException(failure.Message, failure) { Removed = removed });
}
