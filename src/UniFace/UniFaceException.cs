namespace UniFace;

/// <summary>
/// Invalid input. The message is one line for the user: what is wrong, where, what was expected and what to do. The command line prints
/// it and exits with code 2, without a stack trace.
/// </summary>
public class UniFaceException : Exception
{
    /// <summary>Creates an exception with a message.</summary>
    public UniFaceException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an exception with a message and its cause.</summary>
    public UniFaceException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
