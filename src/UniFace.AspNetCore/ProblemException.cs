namespace UniFace.AspNetCore;

/// <summary>A request cannot be answered. <see cref="Http.ProblemWriter"/> writes it as problem+json.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="detail">What is wrong and what to do, in one line.</param>
/// <param name="faults">More lines, such as what is wrong with each photo.</param>
#pragma warning disable RCS1194, CA1032 // Never thrown without a status.
internal sealed class ProblemException(int status, string detail, IReadOnlyList<string>? faults = null) : Exception(detail)
#pragma warning restore RCS1194, CA1032
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>More lines; null for none.</summary>
    public IReadOnlyList<string>? Faults { get; } = faults;
}
