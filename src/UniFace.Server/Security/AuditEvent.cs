namespace UniFace.Server.Security;

/// <summary>Something to be remembered.</summary>
/// <param name="Who">"key:ID", "local", "command line", "retention" or "anonymous".</param>
/// <param name="What">What was done, e.g. "enrol".</param>
/// <param name="Person">Of whom; written down as a keyed hash only.</param>
/// <param name="Detail">More, without names; null for nothing.</param>
/// <param name="Status">HTTP status; 0 where it was no request.</param>
internal sealed record AuditEvent(string Who, string What, string? Person = null, string? Detail = null, int Status = 0);
