namespace UniFace.Benchmarks.Planning;

/// <summary>
/// A link between ranks in the alpha-beta model: a message of n bytes takes alpha + n / bandwidth, and adding n bytes takes n / sum rate. The times of
/// collectives are those of Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH", 2005: the faster of a
/// logarithmic algorithm and a ring.
/// </summary>
/// <param name="Alpha">Seconds per message.</param>
/// <param name="Bandwidth">Bytes per second of a rank.</param>
/// <param name="SumRate">Bytes per second at which a rank adds what it receives; infinite if a device adds faster than it receives.</param>
internal readonly record struct Link(double Alpha, double Bandwidth, double SumRate = double.PositiveInfinity)
{
    /// <summary>Seconds of an all-gather of a number of bytes in all.</summary>
    public double AllGather(int ranks, double bytes) => (Rounds(ranks) * Alpha) + (Share(ranks) * bytes / Bandwidth);

    /// <summary>Seconds of a reduce-scatter of a number of bytes per rank: recursive halving.</summary>
    public double ReduceScatter(int ranks, double bytes) => (Rounds(ranks) * Alpha) + (Share(ranks) * bytes * ((1 / Bandwidth) + (1 / SumRate)));

    /// <summary>Seconds of an all-reduce of a number of bytes per rank: recursive doubling, or a reduce-scatter and an all-gather.</summary>
    public double AllReduce(int ranks, double bytes) => Math.Min(
        Rounds(ranks) * (Alpha + (bytes / Bandwidth) + (bytes / SumRate)),
        ReduceScatter(ranks, bytes) + AllGather(ranks, bytes));

    private static double Share(int ranks) => (ranks - 1) / (double)ranks;

    private static int Rounds(int ranks) => (int)Math.Ceiling(Math.Log2(ranks));
}
