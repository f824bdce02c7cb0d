namespace UniFace.Gallery;

/// <summary>A stored record is damaged. The message names it and says how to repair the gallery.</summary>
#pragma warning disable RCS1194, CA1032 // Only galleries throw it.
public sealed class DamagedRecordException : UniFaceException
#pragma warning restore RCS1194, CA1032
{
    internal DamagedRecordException(string message, Exception? innerException = null)
        : base(message, innerException!)
    {
    }
}
