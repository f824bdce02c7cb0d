namespace UniFace.AspNetCore.OpenApi;

/// <summary>What went wrong (RFC 9457).</summary>
internal sealed record Problem
{
    /// <summary>The kind of error.</summary>
    public string? Title { get; init; }

    /// <summary>HTTP status.</summary>
    public int Status { get; init; }

    /// <summary>What is wrong and what to do, in one line.</summary>
    public string? Detail { get; init; }

    /// <summary>More lines, such as what is wrong with each photo.</summary>
    public IReadOnlyList<string>? Faults { get; init; }
}
