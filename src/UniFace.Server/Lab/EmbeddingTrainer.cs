using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using static TorchSharp.torch;

namespace UniFace.Server.Lab;

/// <summary>
/// A small network, 16 to 64 to 64 to D, that learns <see cref="TenClasses"/> with a loss of the registry: the head, the class centers'
/// own update and the optimizer are those of training. Its learning rate falls to nothing over the steps.
/// </summary>
internal sealed class EmbeddingTrainer : IDisposable
{
    private const int Hidden = 64;
    private const int Batch = 100;
    private const double Rate = 0.05;
    private const double Momentum = 0.9;
    private const double Decay = 5e-4;
    private const double Clip = 5;
    private readonly Loss loss;
    private readonly int steps;
    private readonly Random order;
    private readonly Tensor samples; // [N, 16]
    private readonly long[] labels; // [N]
    private readonly (Parameter Weight, Parameter Bias)[] layers;
    private readonly RecognitionHead head;
    private readonly SgdOptimizer optimizer;
    private double lossSum;
    private int lossCount;

    public EmbeddingTrainer(Loss loss, int dimensions, int steps, long seed)
    {
        this.loss = loss;
        this.steps = steps;
        order = new Random((int)(seed % int.MaxValue));
        using DisposeScope scope = NewDisposeScope();
        samples = tensor(TenClasses.Draw(seed), [TenClasses.Labels.Count, TenClasses.Values]).DetachFromDisposeScope();
        labels = [.. TenClasses.Labels.Select(label => (long)label)];
        head = loss.CreateHead(TenClasses.Classes, dimensions, seed);
        Random start = new((int)(seed % int.MaxValue) ^ 0x5eed);
        layers = [Layer(start, TenClasses.Values, Hidden), Layer(start, Hidden, Hidden), Layer(start, Hidden, dimensions)];
        List<NamedParameter> parameters =
        [
            .. layers.SelectMany((layer, i) => new NamedParameter[] { new($"layer{i}.weight", layer.Weight, true), new($"layer{i}.bias", layer.Bias, false) }),
            .. head.named_parameters().Where(p => p.name != "centers.weight").Select(p => new NamedParameter(p.name, p.parameter, false)),
        ];
        optimizer = new SgdOptimizer(parameters, Momentum, Decay);
    }

    /// <summary>Steps taken.</summary>
    public int Step { get; private set; }

    /// <summary>Takes a step of <see cref="Batch"/> samples.</summary>
    /// <exception cref="UniFaceException">The loss is no longer a number.</exception>
    public void Train()
    {
        using DisposeScope scope = NewDisposeScope();
        long[] drawn = [.. Enumerable.Range(0, Batch).Select(_ => order.NextInt64(labels.Length))];
        double rate = Rate * (1 - ((double)Step / steps));
        optimizer.ClearGradients();
        Tensor embeddings = Forward(samples.index_select(0, tensor(drawn))); // [B, D]
        using HeadOutput output = head.ForwardBackward(embeddings.detach(), tensor(drawn.Select(i => labels[i]).ToArray()), update: new CenterUpdate.Sgd(rate, Momentum, Decay));
        if (!double.IsFinite(output.Loss))
        {
            throw new UniFaceException($"step {Step + 1}: the loss of {loss.Name} is not finite; lower its margin or its scale.");
        }

        embeddings.backward([output.EmbeddingGradient]);
        GradientClipping.Clip(optimizer.Parameters, Clip);
        optimizer.Step(rate);
        lossSum += output.Loss;
        lossCount++;
        Step++;
    }

    /// <summary>Where all samples and the class centers are now.</summary>
    public LabWorld Look()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        float[][] embeddings = Rows(Forward(samples));
        float[][] centers = [.. Rows(head.Centers.Weight).Where((_, row) => row % head.Centers.SubCenters == 0).Select(Unit)];
        float[][] means = [.. Enumerable.Range(0, TenClasses.Classes).Select(c => Unit(Mean(embeddings.Where((_, i) => labels[i] == c).Select(Unit))))];
        double lossValue = lossCount == 0 ? LossNow(embeddings) : lossSum / lossCount;
        (lossSum, lossCount) = (0, 0);
        double length = embeddings.Select(Length).Order().ElementAt((int)(0.9 * embeddings.Length));
        float scale = length > 0 ? (float)(1 / length) : 1;
        return new LabWorld(
            loss.ToString(),
            lossValue,
            embeddings.Where((e, i) => Nearest(e, centers) == labels[i]).Count() / (double)embeddings.Length,
            embeddings.Select((e, i) => Angle(Unit(e), means[labels[i]])).Average(),
            means.Select((m, c) => means.Where((_, other) => other != c).Min(o => Angle(m, o))).Average(),
            [.. embeddings.Select(e => Rounded(e, scale))],
            [.. centers.Select(c => Rounded(c, 1))]);
    }

    public void Dispose()
    {
        optimizer.Dispose();
        head.Dispose();
        samples.Dispose();
        foreach ((Parameter weight, Parameter bias) in layers)
        {
            weight.Dispose();
            bias.Dispose();
        }
    }

    private static (Parameter Weight, Parameter Bias) Layer(Random random, int from, int to)
    {
        // He et al., ICCV 2015.
        float[] values = [.. Enumerable.Range(0, from * to).Select(_ => (float)(TenClasses.Normal(random) * Math.Sqrt(2.0 / from)))];
        return (Own(tensor(values, [to, from])), Own(zeros(to)));
    }

    private static Parameter Own(Tensor value)
    {
        Parameter parameter = new(value.DetachFromDisposeScope());
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    private Tensor Forward(Tensor x)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            x = nn.functional.linear(x, layers[i].Weight, layers[i].Bias);
            x = i < layers.Length - 1 ? nn.functional.leaky_relu(x, 0.1) : x;
        }

        return x;
    }

    /// <summary>The loss before the first step; a fresh head of the same seed keeps this one's state as it is.</summary>
    private double LossNow(float[][] embeddings)
    {
        using RecognitionHead fresh = loss.CreateHead(TenClasses.Classes, head.EmbeddingSize, 0);
        fresh.Centers.Weight.copy_(head.Centers.Weight);
        using HeadOutput output = fresh.ForwardBackward(tensor(embeddings.SelectMany(e => e).ToArray(), [embeddings.Length, head.EmbeddingSize]), tensor(labels), update: CenterUpdate.None);
        return output.Loss;
    }

    private static int Nearest(float[] embedding, float[][] centers) =>
        Enumerable.Range(0, centers.Length).MaxBy(c => centers[c].Zip(embedding, (a, b) => (double)a * b).Sum());

    private static float[][] Rows(Tensor tensor)
    {
        int columns = (int)tensor.shape[1];
        return [.. tensor.detach().cpu().contiguous().data<float>().ToArray().Chunk(columns)];
    }

    private static float[] Mean(IEnumerable<float[]> rows)
    {
        float[][] all = [.. rows];
        return [.. Enumerable.Range(0, all[0].Length).Select(d => all.Average(row => row[d]))];
    }

    private static double Length(float[] vector) => Math.Sqrt(vector.Sum(v => (double)v * v));

    private static float[] Unit(float[] vector)
    {
        double length = Length(vector);
        return length > 0 ? [.. vector.Select(v => (float)(v / length))] : vector;
    }

    private static double Angle(float[] a, float[] b) => Math.Acos(Math.Clamp(a.Zip(b, (x, y) => (double)x * y).Sum(), -1, 1));

    private static float[] Rounded(float[] vector, float scale) => [.. vector.Select(v => MathF.Round(v * scale, 3))];
}
