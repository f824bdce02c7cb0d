using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Losses;

/// <summary>Every loss of the registry under every choice of its words and flags, and what the tests of them share.</summary>
internal static class LossVariants
{
    public static IEnumerable<Loss> All => TestRuntime.Losses.SelectMany(l => Variants(l, 0, [])).Distinct();

    public static TheoryData<string> Names => [.. All.Select(s => s.ToString())];

    /// <summary>A head with given centers and biases.</summary>
    public static RecognitionHead Head(Loss spec, PlainBatch batch, ScalarType dtype = ScalarType.Float64, double[]? margins = null, ScalarType? centers = null)
    {
        int k = spec.Has("subcenters") ? (int)spec.Number("subcenters") : 1;
        RecognitionHead head = spec.CreateHead(batch.Centers.Length / k, batch.Centers[0].Length, seed: 5, dtype, centers: centers);
        using IDisposable none = no_grad();
        head.Centers.Weight.copy_(Rows(batch.Centers));
        if (Bias(head) is TorchSharp.Modules.Parameter bias)
        {
            bias.copy_(tensor(batch.Bias[..(int)bias.shape[0]]));
        }

        if (head.Margin is ElasticFaceMargin elastic)
        {
            elastic.FixedMargins = margins;
        }

        return head;
    }

    /// <summary>Asserts that an action fails with a message that contains a text.</summary>
    public static void AssertRefused(string message, Func<object> action) =>
        Assert.Contains(message, Assert.Throws<UniFaceException>(action).Message, StringComparison.Ordinal);

    public static TorchSharp.Modules.Parameter? Bias(RecognitionHead head) =>
        head.named_parameters().Where(p => p.name == "objective.bias").Select(p => p.parameter).FirstOrDefault();

    public static long[] Ids(ClassSelection selection) => [.. selection.Tiles([], 7).SelectMany(t => t.Ids![..t.Count])];

    public static Tensor Rows(double[][] rows) => tensor(rows.SelectMany(r => r).ToArray()).view(rows.Length, rows[0].Length);

    public static double[] Values(Tensor tensor) => tensor.to(ScalarType.Float64).contiguous().data<double>().ToArray();

    public static Tensor Labels(PlainBatch batch) => tensor(batch.Labels.Select(l => (long)l).ToArray());

    /// <summary>
    /// A random batch whose targets lie all over [-1, 1]: a part of the own center, a part of noise.
    /// </summary>
    public static PlainBatch Batch(int seed, int samples, int classes, int size, int k)
    {
        Random random = new(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        double[][] centers = [.. Enumerable.Range(0, classes * k).Select(_ => Enumerable.Range(0, size).Select(_ => Normal()).ToArray())];
        int[] labels = [.. Enumerable.Range(0, samples).Select(_ => random.Next(classes))];
        double[][] embeddings = [.. labels.Select(y =>
        {
            double pull = random.NextDouble() * 6 - 3;
            double length = 2 + random.NextDouble() * 8;
            return centers[y * k].Select(w => length * (pull * w + Normal())).ToArray();
        })];
        return new PlainBatch(embeddings, centers, [.. Enumerable.Range(0, classes).Select(_ => 3 + Normal())], labels);
    }

    private static IEnumerable<Loss> Variants(LossInfo loss, int at, Dictionary<string, string> given)
    {
        if (at == loss.Hyperparameters.Count)
        {
            return [LossRegistry.Create(loss.Name, given)];
        }

        LossHyperparameter parameter = loss.Hyperparameters[at];
        bool applies = parameter.MarginTypes.Count == 0 || parameter.MarginTypes.Contains(given["margin-type"]);
        IEnumerable<string> values = !applies ? [] : parameter.Kind switch
        {
            HyperparameterKind.Choice => parameter.Choices,
            HyperparameterKind.Flag => ["false", "true"],
            _ => [],
        };
        return values.Any()
            ? values.SelectMany(v => Variants(loss, at + 1, new(given) { [parameter.Name] = v }))
            : Variants(loss, at + 1, given);
    }
}
