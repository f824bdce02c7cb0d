using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using UniFace.Training.Runtime;
using static TorchSharp.torch;

namespace UniFace.Studio.Lab;

/// <summary>
/// A small network, 16 to 64 to 64 to D, that learns <see cref="TenClasses"/> with the head, center update and optimizer of real training. The learning rate
/// decays linearly to 0.
/// </summary>
internal sealed class EmbeddingTrainer : IDisposable
{
    private const int Hidden = 64, Batch = 100;
    private const double Rate = 0.05, Momentum = 0.9, Decay = 5e-4, Clip = 5;

    private readonly Loss loss;
    private readonly int steps;
    private readonly SeededRandom random;
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
        random = new SeededRandom(seed); // in this order: samples, initial weights, batches
        using DisposeScope scope = NewDisposeScope();
        samples = tensor(TenClasses.Draw(random), [TenClasses.Labels.Count, TenClasses.Dimensions]).DetachFromDisposeScope();
        labels = [.. TenClasses.Labels.Select(label => (long)label)];
        head = loss.CreateHead(TenClasses.Classes, dimensions, seed);
        layers = [Layer(TenClasses.Dimensions, Hidden), Layer(Hidden, Hidden), Layer(Hidden, dimensions)];
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
    /// <exception cref="UniFaceException">The loss is not finite.</exception>
    public void Train()
    {
        using DisposeScope scope = NewDisposeScope();
        long[] drawn = [.. Enumerable.Range(0, Batch).Select(_ => (long)random.Next(labels.Length))];
        double rate = Rate * (1 - ((double)Step / steps));
        optimizer.ClearGradients();
        Tensor embeddings = Forward(samples.index_select(0, tensor(drawn))); // [B, D]
        using HeadOutput output = head.ForwardBackward(
            embeddings.detach(), tensor(drawn.Select(i => labels[i]).ToArray()), update: new CenterUpdate.Sgd(rate, Momentum, Decay));
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

    /// <summary>Current positions of all samples and class centers.</summary>
    public LabWorld Observe()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        Tensor embeddings = Forward(samples), units = nn.functional.normalize(embeddings); // [N, D], class by class
        Tensor weights = head.Centers.Weight.slice(0, 0, head.Centers.Weight.shape[0], head.Centers.SubCenters); // the first center of each class
        Tensor centers = nn.functional.normalize(weights); // [C, D]
        Tensor byClass = units.view(TenClasses.Classes, TenClasses.PerClass, -1); // [C, N / C, D]
        Tensor means = nn.functional.normalize(byClass.mean([1])); // [C, D]
        double lossValue = lossCount == 0 ? InitialLoss(embeddings) : lossSum / lossCount;
        (lossSum, lossCount) = (0, 0);
        float length = embeddings.norm(1).sort().Values[(long)(0.9 * samples.shape[0])].item<float>();
        return new LabWorld(
            loss.ToString(),
            lossValue,
            units.matmul(centers.t()).argmax(1).eq(tensor(labels)).to(ScalarType.Float64).mean().item<double>(),
            Angle((byClass * means.unsqueeze(1)).sum(2)),
            Angle((means.matmul(means.t()) - (2 * eye(TenClasses.Classes))).amax([1L])),
            Rows(embeddings / (length > 0 ? length : 1)),
            Rows(centers));
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

    private (Parameter Weight, Parameter Bias) Layer(int from, int to)
    {
        // He et al., ICCV 2015.
        float[] values = [.. Enumerable.Range(0, from * to).Select(_ => (float)(TenClasses.Normal(random) * Math.Sqrt(2.0 / from)))];
        return (OwnedTensors.Parameter(tensor(values, [to, from])), OwnedTensors.Parameter(zeros(to)));
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

    // The loss before the first step, from another head, so that the state of this one does not change.
    private double InitialLoss(Tensor embeddings)
    {
        using RecognitionHead fresh = loss.CreateHead(TenClasses.Classes, head.EmbeddingSize, 0);
        fresh.Centers.Weight.copy_(head.Centers.Weight);
        using HeadOutput output = fresh.ForwardBackward(embeddings, tensor(labels), update: CenterUpdate.None);
        return output.Loss;
    }

    private static float[][] Rows(Tensor rows) =>
        [.. rows.contiguous().data<float>().ToArray().Select(v => MathF.Round(v, 3)).Chunk((int)rows.shape[1])];

    private static double Angle(Tensor cosines) => cosines.clamp(-1, 1).acos().mean().item<float>();
}
