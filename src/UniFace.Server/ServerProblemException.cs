namespace UniFace.Server;

/// <summary>A request that cannot be answered as asked: the answer is problem+json of this status, with the one line.</summary>
/// <param name="status">HTTP status, 400 to 599.</param>
/// <param name="message">What is wrong and what to do, in one line.</param>
/// <param name="faults">More lines, e.g. what is wrong with each photo.</param>
#pragma warning disable RCS1194, CA1032 // It is never thrown without a status.
public sealed class ServerProblemException(int status, string message, IReadOnlyList<string>? faults = null) : Exception(message)
#pragma warning restore RCS1194, CA1032
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>More lines; null for none.</summary>
    public IReadOnlyList<string>? Faults { get; } = faults;
}
