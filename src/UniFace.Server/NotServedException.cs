namespace UniFace.Server;

/// <summary>What was asked for cannot be given by this service as it was started, or not now; the answer is 503 with the one line.</summary>
public sealed class NotServedException : Exception
{
    /// <summary>Why, in one line, and what to do.</summary>
    public NotServedException(string message)
        : base(message)
    {
    }

    /// <summary>Why, in one line, and what was thrown below it.</summary>
    public NotServedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without a word; use one of the others.</summary>
    public NotServedException()
    {
    }
}
