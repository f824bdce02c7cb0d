namespace UniFace.Statistics;

/// <summary>
/// The rule of three: no event in n trials means, with 95 % confidence, a rate below 3 / n. So n trials support rates of 3 / n and above.
/// </summary>
internal static class RuleOfThree
{
    private const double Tolerance = 1e-9;

    /// <summary>The smallest rate that <paramref name="trials"/> trials support; 1 without any.</summary>
    public static double SmallestRate(long trials) => trials > 0 ? Math.Min(1, 3.0 / trials) : 1;

    /// <summary>How many trials a rate needs.</summary>
    public static long TrialsFor(double rate) => (long)Math.Ceiling(3 / rate * (1 - Tolerance));

    /// <summary>
    /// Whether <paramref name="trials"/> trials can tell a rate from 0: 1 / n and above. Enough to report a point of a curve, as other tools do;
    /// a threshold for use needs <see cref="Supports"/>.
    /// </summary>
    internal static bool CanMeasure(long trials, double rate) => rate * trials >= 1 - Tolerance;

    /// <summary>Says which rates the trials support and how many trials a rate needs.</summary>
    internal static string Explain(long trials, double rate, string trialsName, string ratesName) => Invariant(
        $"{trials} {trialsName} support {ratesName} of {SmallestRate(trials):G3} and above; this one needs {TrialsFor(rate)}");

    /// <summary>Whether <paramref name="trials"/> trials support a rate.</summary>
    public static bool Supports(long trials, double rate) => rate >= SmallestRate(trials) * (1 - Tolerance);
}
