namespace UniFace;

/// <summary>
/// Bad input, said in one line for the person who gave it: what is wrong, where, what was expected, what to do.
/// The command line prints <see cref="Exception.Message"/> and ends with exit code 2; it never prints a stack trace for one.
/// </summary>
public sealed class UniFaceException : Exception
{
    /// <summary>Bad input, in one line.</summary>
    public UniFaceException(string message)
        : base(message)
    {
    }

    /// <summary>Bad input, in one line, and what was thrown below it.</summary>
    public UniFaceException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Bad input without a word; use one of the others.</summary>
    public UniFaceException()
    {
    }
}
