using UniFace.Benchmarks.Planning;
using UniFace.Training.Backbones;
using UniFace.Training.Losses;

namespace UniFace.Training.Tests.Distributed;

/// <summary>
/// The model of docs/distributed.md: its traffic is that of the same document (which <see cref="HeadRanks"/> compares with the communicator's counters), and
/// its times and memory change with ranks, people and losses as they must.
/// </summary>
public class StepPlanTests
{
    private static readonly BackboneCost Backbone = new("toy", 1e9, 1_000_000, 1e6);

    public static TheoryData<string> Machines => [.. PlanMachine.All.Select(machine => machine.Name)];

    [Theory]
    [InlineData("uce", 2, 3)]
    [InlineData("bce", 2, 3)]
    [InlineData("sphereface2", 2, 3)]
    [InlineData("arcface", 4, 4)]
    [InlineData("cosface", 4, 4)]
    [InlineData("adacos", 5, 5)]
    public void The_unified_loss_needs_two_collectives_and_three_products_and_softmax_four_of_each(string name, int calls, int products)
    {
        LossExchange loss = LossExchange.Create(Loss.Parse(name));
        Assert.Equal((calls, products), (loss.Calls, loss.Products));
        Assert.Equal(calls, Plan("a100", 8, 1_000_000, loss).HeadCalls);
    }

    [Theory]
    [InlineData("uce", 0)]
    [InlineData("arcface", 16)]
    public void Bytes_are_those_of_the_documentation(string name, int perSample)
    {
        const int Ranks = 8, Batch = 64, Size = 512;
        StepPlan plan = Plan("a100", Ranks, 1_000_000, LossExchange.Create(Loss.Parse(name)));
        const long Total = Ranks * Batch;
        Assert.Equal((4 * Batch * Size) + (perSample * Total) + (4 * (Total + Ranks) * (Size + 2)), plan.HeadBytes);
        Assert.Equal((4_000_000, 4), (plan.BackboneBytes, plan.BackboneCalls)); // P = 1,000,000 in buckets of 1 MiB.
    }

    /// <summary>Latency is paid once per collective and round: log2 N rounds of each.</summary>
    [Fact]
    public void Each_collective_costs_log2_N_latencies()
    {
        Link slow = new(1, double.PositiveInfinity);
        PlanMachine machine = PlanMachine.Find("a100") with { Local = slow, Network = slow, CallCost = (0, 0) };
        foreach ((string name, int calls) in new[] { ("uce", 2), ("arcface", 4) })
        {
            StepPlan plan = new(new StepCase(machine, 64, 1_000_000, 64, LossExchange.Create(Loss.Parse(name)), Backbone, FromHost: false));
            Assert.Equal(calls * 6, plan.Exchange, 1e-9);
        }
    }

    /// <summary>A ring moves (N - 1) / N of the bytes once per phase; no algorithm of a collective moves fewer.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(512)]
    public void Collectives_move_the_bytes_of_a_ring(int ranks)
    {
        Link link = new(0, 1e9);
        double share = (ranks - 1.0) / ranks;
        Assert.Equal(share, link.AllGather(ranks, 1e9), 1e-12);
        Assert.Equal(share, link.ReduceScatter(ranks, 1e9), 1e-12);
        Assert.Equal(2 * share, link.AllReduce(ranks, 1e9), 1e-12);
        Assert.True(new Link(1e-6, 1e9).AllReduce(ranks, 8) <= Math.Log2(ranks) * 1.1e-6);
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void One_rank_exchanges_nothing(string machine)
    {
        StepPlan plan = Plan(machine, 1, 100_000);
        Assert.Equal((0.0, 0.0, 0, 0L, 0, 0L), (plan.Exchange, plan.Reduce, plan.HeadCalls, plan.HeadBytes, plan.BackboneCalls, plan.BackboneBytes));
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void Centers_are_divided_among_the_ranks(string machine)
    {
        double whole = Plan(machine, 1, 1_000_000).CenterBytes;
        Assert.Equal(1_000_000.0 * 512 * 4 * 2, whole);
        Assert.All(new[] { 2, 8, 64 }, ranks => Assert.Equal(whole / ranks, Plan(machine, ranks, 1_000_000).CenterBytes, 1e-6));
        Assert.All(
            new[] { 2, 8, 64 },
            ranks => Assert.True(Plan(machine, ranks, 10_000_000).MemoryBytes < Plan(machine, ranks / 2, 10_000_000).MemoryBytes, $"{machine}, {ranks}"));
    }

    /// <summary>With the same images per rank, the head of a rank compares N times the images with 1/N of the people.</summary>
    [Fact]
    public void The_products_of_a_rank_depend_on_its_images_and_all_people()
    {
        double at8 = Head(8, 10_000_000), at512 = Head(512, 10_000_000);
        Assert.InRange(at512, 0.8 * at8, at8); // The passes over the centers are shared by more images.
        Assert.Equal(10, Head(8, 100_000_000) / at8, 0.01);

        static double Head(int ranks, long classes) => Plan("a100", ranks, classes).Head;
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void Softmax_takes_longer_than_the_unified_loss_and_more_people_longer_than_fewer(string machine)
    {
        LossExchange uce = LossExchange.Create(Loss.Parse("uce")), arcface = LossExchange.Create(Loss.Parse("arcface"));
        foreach (int ranks in new[] { 1, 2, 8, 64 })
        {
            foreach (long classes in new[] { 1_000_000, 10_000_000 })
            {
                Assert.True(Plan(machine, ranks, classes, uce).Step < Plan(machine, ranks, classes, arcface).Step, $"{ranks}, {classes}");
                Assert.True(Plan(machine, ranks, classes).Step < Plan(machine, ranks, 2 * classes).Step, $"{ranks}, {classes}");
            }
        }
    }

    /// <summary>Ranks that share processors compute no faster, and wait for each other.</summary>
    [Fact]
    public void More_ranks_than_processors_do_not_help()
    {
        PlanMachine machine = PlanMachine.Find("cpu2");
        StepPlan two = Step(2, 64), four = Step(4, 32);
        Assert.Equal(two.Forward + two.Head + two.Backward, four.Forward + four.Head + four.Backward, 1e-9);
        Assert.True(four.Exchange > two.Exchange);
        Assert.True(two.Step < Step(1, 128).Step);

        StepPlan Step(int ranks, int batch) => new(new StepCase(machine, ranks, 1_000_000, batch, LossExchange.Create(Loss.Parse("uce")), Backbone));
    }

    /// <summary>Messages from device memory save the copies to the host and the slower sums there.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(512)]
    public void Sending_from_devices_is_faster(int ranks)
    {
        BackboneCost cost = BackboneCost.Create(new BackboneSpec("mobilefacenet", 1));
        StepPlan host = Step(true), device = Step(false);
        Assert.True(device.Reduce <= host.Reduce);
        Assert.True(device.Exchange < host.Exchange);
        Assert.Equal(host.Head, device.Head);

        StepPlan Step(bool fromHost) => new(new StepCase(
            PlanMachine.Find("a100"), ranks, 1_000_000, 64, LossExchange.Create(Loss.Parse("uce")), cost, FromHost: fromHost));
    }

    private static StepPlan Plan(string machine, int ranks, long classes, LossExchange? loss = null) =>
        new(new StepCase(PlanMachine.Find(machine), ranks, classes, 64, loss ?? LossExchange.Create(Loss.Parse("uce")), Backbone));
}
