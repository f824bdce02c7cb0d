namespace UniFace.Benchmarks.Planning;

/// <summary>The constants of a machine of a cluster, per rank. Their sources are in docs/distributed.md.</summary>
/// <param name="Name">The name on the command line.</param>
/// <param name="HeadRate">FLOP/s of the head's products in float32.</param>
/// <param name="BackboneRate">FLOP/s of a backbone's training step, 2 per multiply-add.</param>
/// <param name="MemoryRate">Bytes per second of the memory that holds the centers.</param>
/// <param name="MemoryGb">That memory, in GB (10^9 bytes).</param>
/// <param name="RanksPerNode">Ranks that are connected by <paramref name="Local"/>.</param>
/// <param name="Local">The link inside a node if the library sends from device memory.</param>
/// <param name="Network">The link between nodes, likewise.</param>
/// <param name="HostLocal">The link inside a node if the library sends from host memory.</param>
/// <param name="HostNetwork">The link between nodes, likewise.</param>
/// <param name="CopyRate">Bytes per second between device and host; infinite if they are the same.</param>
internal sealed record PlanMachine(
    string Name,
    double HeadRate,
    double BackboneRate,
    double MemoryRate,
    double MemoryGb,
    int RanksPerNode,
    Link Local,
    Link Network,
    Link HostLocal,
    Link HostNetwork,
    double CopyRate)
{
    // Measured with MPICH in shared memory; docs/distributed.md.
    private static readonly Link SharedMemory = new(1e-6, 5e9, 10e9);

    // Two cores; the constants are those of one.
    private const int HereProcessors = 2;

    /// <summary>The machines by name.</summary>
    public static IReadOnlyList<PlanMachine> All { get; } =
    [
        new(
            "v100", HeadRate: 14e12, BackboneRate: 23.6e12, MemoryRate: 0.81e12, MemoryGb: 32, RanksPerNode: 8, new Link(1e-6, 97e9),
            new Link(2e-6, 11e9), SharedMemory, new Link(2e-6, 11e9, 10e9), CopyRate: 12e9),
        new(
            "a100", HeadRate: 17.4e12, BackboneRate: 64e12, MemoryRate: 1.84e12, MemoryGb: 80, RanksPerNode: 8, new Link(1e-6, 195e9),
            new Link(2e-6, 22.5e9), SharedMemory, new Link(2e-6, 22.5e9, 10e9), CopyRate: 25e9),
        new(
            "h100", HeadRate: 59.7e12, BackboneRate: 203e12, MemoryRate: 3.0e12, MemoryGb: 80, RanksPerNode: 8, new Link(1e-6, 270e9),
            new Link(2e-6, 45e9), SharedMemory, new Link(2e-6, 45e9, 10e9), CopyRate: 50e9),
        new(
            "cpu2", HeadRate: 92.7e9, BackboneRate: 90e9, MemoryRate: 18e9, MemoryGb: 24, RanksPerNode: int.MaxValue, SharedMemory, SharedMemory,
            SharedMemory, SharedMemory, CopyRate: double.PositiveInfinity)
        {
            Processors = HereProcessors,
            ThreadEfficiency = 0.96,
            TimeSlice = 3e-3,
            CachesCells = true,
            CallCost = (0, 0),
        },
    ];

    /// <summary>Processors that the ranks of a node share; 0 if each rank has a device of its own.</summary>
    public int Processors { get; init; }

    /// <summary>Speed of a rank with several threads, relative to that many ranks with one.</summary>
    public double ThreadEfficiency { get; init; } = 1;

    /// <summary>Seconds that a rank waits for a processor if there are more ranks than processors.</summary>
    public double TimeSlice { get; init; }

    /// <summary>True if the similarities of a tile stay in the cache, as those of the row pass on the CPU do.</summary>
    public bool CachesCells { get; init; }

    /// <summary>Seconds per collective to start it on a device, or to start its copies from and to the host.</summary>
    public (double Device, double Host) CallCost { get; init; } = (10e-6, 20e-6);

    /// <summary>True if the backbone's gradients are summed while the backward pass computes others.</summary>
    public bool Overlaps => Processors == 0;

    /// <summary>The link that limits a collective over a number of ranks.</summary>
    public Link LinkOf(int ranks, bool fromHost)
    {
        (Link local, Link network) = fromHost ? (HostLocal, HostNetwork) : (Local, Network);
        Link link = ranks <= RanksPerNode ? local : network with { Bandwidth = Math.Min(local.Bandwidth, network.Bandwidth) };
        int waiting = Processors == 0 ? 0 : ((ranks + Processors - 1) / Processors) - 1;
        return link with { Alpha = link.Alpha + (waiting * TimeSlice) };
    }

    /// <summary>The speed of a rank relative to one device or one processor.</summary>
    public double Speed(int ranks) => Processors == 0 ? 1
        : ranks < Processors ? Processors / (double)ranks * ThreadEfficiency
        : Processors / (double)ranks;

    /// <summary>The machine of a name.</summary>
    /// <exception cref="UniFaceException">There is none.</exception>
    public static PlanMachine Find(string name) => All.FirstOrDefault(machine => machine.Name == name)
        ?? throw new UniFaceException($"--device {name}: there are constants of {string.Join(", ", All.Select(machine => machine.Name))}.");
}
