namespace UniFace.Server.Security;

/// <summary>What was found in an audit log.</summary>
/// <param name="Lines">Lines, up to the first that is wrong.</param>
/// <param name="Last">
/// Hash of the last one that is right; note it elsewhere, to see later that the log and its head were not replaced together. Empty for an empty log.
/// </param>
/// <param name="Wrong">What is wrong first; null for nothing.</param>
/// <param name="Unfinished">True: after the last line stands the begin of one that a kill or a full disk cut short. It was not acknowledged; the next event takes its place.</param>
public sealed record AuditCheck(long Lines, string Last, string? Wrong, bool Unfinished);

/// <summary>The audit log of a service from outside of it, by the data folder; the service may run.</summary>
public static class AuditTrail
{
    /// <summary>Adds what the command line did.</summary>
    /// <param name="dataFolder">The service's data folder.</param>
    /// <param name="what">What was done, without names.</param>
    public static async Task AddAsync(string dataFolder, string what)
    {
        await using AuditLog log = new(dataFolder);
        await log.AddAsync(new AuditEvent("command line", what));
    }

    /// <summary>Checks the log.</summary>
    /// <param name="dataFolder">The service's data folder.</param>
    /// <param name="noted">A hash of an earlier check that must still be there; null for none.</param>
    /// <exception cref="UniFaceException">The log's key is missing or damaged.</exception>
    public static AuditCheck Verify(string dataFolder, string? noted = null) => AuditVerifier.Verify(dataFolder, noted);
}
