namespace UniFace.AspNetCore.Audit;

/// <summary>An event of the audit log.</summary>
/// <param name="Who">"key:ID", "local", "command line", "retention" or "anonymous".</param>
/// <param name="What">The action, such as "enrol".</param>
/// <param name="Person">The person concerned; written as a keyed hash only.</param>
/// <param name="Detail">More, without names; null for nothing.</param>
/// <param name="Status">HTTP status; 0 if it was not a request.</param>
internal sealed record AuditEvent(string Who, string What, string? Person = null, string? Detail = null, int Status = 0);
