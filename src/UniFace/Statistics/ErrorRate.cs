namespace UniFace.Statistics;

/// <summary>Checks error rates that a user chooses.</summary>
internal static class ErrorRate
{
    /// <summary>Throws if a rate is not above 0 and below 1.</summary>
    /// <exception cref="UniFaceException">It is out of range.</exception>
    public static void Require(double rate, string name)
    {
        if (rate is not (> 0 and < 1))
        {
            throw new UniFaceException(Invariant($"the {name} {rate} is out of range: expected a number above 0 and below 1, e.g. 0.001"));
        }
    }
}
