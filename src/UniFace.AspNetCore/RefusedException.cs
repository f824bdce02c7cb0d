namespace UniFace.AspNetCore;

/// <summary>Why the service cannot do what was asked.</summary>
internal enum Refusal
{
    /// <summary>No model is loaded.</summary>
    NoModel,

    /// <summary>Too much work is waiting; a later attempt may succeed.</summary>
    Busy,

    /// <summary>No face, or none that is good enough, was found.</summary>
    NoFace,

    /// <summary>The state of the resource does not allow it.</summary>
    Conflict,
}

/// <summary>The service cannot do what was asked. <see cref="Http.ProblemWriter"/> maps the reason to an HTTP status.</summary>
/// <param name="reason">Why.</param>
/// <param name="message">What is wrong and what to do, in one line.</param>
/// <param name="faults">More lines, such as what is wrong with each photo.</param>
#pragma warning disable RCS1194, CA1032 // Never thrown without a reason.
internal sealed class RefusedException(Refusal reason, string message, IReadOnlyList<string>? faults = null) : Exception(message)
#pragma warning restore RCS1194, CA1032
{
    /// <summary>Why.</summary>
    public Refusal Reason { get; } = reason;

    /// <summary>More lines; null for none.</summary>
    public IReadOnlyList<string>? Faults { get; } = faults;
}
