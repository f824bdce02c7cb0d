using UniFace.Training.Distributed;
using UniFace.Training.Runtime;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Distributed;

/// <summary>Every method of the communicator, against its definition.</summary>
[Collection(SerialCollection.Name)]
public class CommunicatorRanks
{
    [Fact]
    public void Collectives() => RankTest.OnRank(ranks =>
    {
        int size = ranks.Size, rank = ranks.Rank;
        Assert.Equal(MpiJob.LaunchedSize, size);
        Assert.Equal(MpiJob.LaunchedRank, rank);

        float[] sum = [rank, 1];
        ranks.AllReduce(sum, Reduction.Sum, Traffic.Other);
        Assert.Equal([size * (size - 1) / 2f, size], sum);
        double[] largest = [rank, -rank];
        ranks.AllReduce(largest, Reduction.Max, Traffic.Other);
        Assert.Equal([size - 1, 0], largest);
        double[] logs = [Math.Log(rank + 1), rank == 0 ? -2000 : double.NegativeInfinity, double.NegativeInfinity];
        ranks.AllReduce(logs, Reduction.LogSumExp, Traffic.Other);
        Assert.Equal(Math.Log(size * (size + 1) / 2.0), logs[0], 1e-12);
        Assert.Equal([-2000, double.NegativeInfinity], logs[1..]);

        int[] counts = [.. Enumerable.Range(1, size)];
        float[] gathered = new float[counts.Sum()];
        ranks.AllGather([.. Enumerable.Repeat((float)rank, rank + 1)], gathered, counts, Traffic.Other);
        Assert.Equal(counts.SelectMany((count, r) => Enumerable.Repeat((float)r, count)), gathered);

        // Each rank contributes row * (rank + 1), and in the last column row + rank.
        float[] rows = [.. Enumerable.Range(0, counts.Sum()).SelectMany(row => new float[] { row * (rank + 1), 1, row + rank })];
        float[] mine = new float[3 * counts[rank]];
        (long calls, long sent) = ranks.Counters[Traffic.Head];
        ranks.ReduceScatterRows(rows, 3, counts, mine, Traffic.Head);
        int first = counts[..rank].Sum();
        Assert.Equal(
            Enumerable.Range(first, counts[rank]).SelectMany(row => new float[] { row * size * (size + 1) / 2, size, row + size - 1 }), mine);
        Assert.Equal((calls + 1, sent + (rows.Length * sizeof(float))), ranks.Counters[Traffic.Head]);

        byte[] bytes = [(byte)(rank + 7)];
        ranks.Broadcast(bytes);
        Assert.Equal(7, bytes[0]);
        if (rank == 1)
        {
            ranks.Send([5, 6], 0);
        }
        else if (rank == 0)
        {
            byte[] received = new byte[2];
            ranks.Receive(received, 1);
            Assert.Equal([5, 6], received);
        }

        using Tensor values = full(1000, rank + 1f);
        IPendingSum pending = ranks.BeginSum(TensorMemory.Address(values), 1000, Traffic.Backbone);
        while (!pending.Test())
        {
        }

        pending.Wait();
        Assert.All(values.data<float>().ToArray(), value => Assert.Equal(size * (size + 1) / 2f, value));
    });
}
