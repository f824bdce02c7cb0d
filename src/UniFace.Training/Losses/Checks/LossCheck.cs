using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Losses.Margins;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Checks;

/// <summary>What a case gave in one type.</summary>
/// <param name="Loss">Our loss.</param>
/// <param name="Errors">The error of each quantity: "loss", "gradEmbeddings", "gradCenters", "gradBias", and state by the file's names.</param>
/// <param name="Tolerance">What an error must not pass.</param>
public sealed record CaseOutcome(double Loss, IReadOnlyDictionary<string, double> Errors, double Tolerance)
{
    /// <summary>The largest error.</summary>
    public double MaxError => Errors.Values.Max();

    /// <summary>True where no error passes the tolerance.</summary>
    public bool Passed => MaxError <= Tolerance;
}

/// <summary>
/// Runs a case and compares. In float64 a quantity's error is max |ours - expected| / max(1, |expected|), at most 1e-9; in float32 it is
/// max |ours - expected| / max |expected|, at most 1e-4. What is not a number is an infinite error.
/// </summary>
public static class LossCheck
{
    /// <summary>The largest error allowed in float64.</summary>
    public const double DoubleTolerance = 1e-9;

    /// <summary>The largest relative error allowed in float32.</summary>
    public const double SingleTolerance = 1e-4;

    /// <summary>Below this size, expected values are compared absolutely in float32.</summary>
    private const double Negligible = 1e-3;

    /// <summary>Names of the head's buffers, by the file's names for them.</summary>
    private static readonly Dictionary<string, string> Buffers = new()
    {
        ["t"] = "margin.t",
        ["batchMean"] = "margin.mean",
        ["batchStd"] = "margin.deviation",
        ["s0"] = "objective.scale.s",
        ["s1"] = "objective.scale.s",
    };

    /// <summary>Runs a case in float32 or float64.</summary>
    /// <exception cref="UniFaceException">The case's state or bias does not fit its loss.</exception>
    public static CaseOutcome Run(LossCase golden, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(golden);
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead head = Create(golden, dtype);
        Dictionary<string, Tensor> buffers = head.named_buffers().ToDictionary(b => b.name, b => b.buffer);
        Dictionary<string, Parameter> parameters = head.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        using (no_grad())
        {
            parameters["centers.weight"].copy_(Load(golden.Centers));
            foreach ((string name, double value) in golden.State)
            {
                Find(buffers, name, golden).fill_(value);
            }

            if (golden.Bias is not null)
            {
                parameters["objective.bias"].copy_(tensor(golden.Bias.ToArray()));
            }
        }

        if (golden.Margins is not null && head.Margin is ElasticFaceMargin elastic)
        {
            elastic.Given = golden.Margins;
        }

        Dictionary<string, double> errors = [];
        foreach ((string name, double value) in golden.ExpectedBefore)
        {
            errors[name] = Error([OwnedTensors.Value(Find(buffers, Buffers[name], golden))], [value], dtype);
        }

        using HeadOutput output = head.ForwardBackward(Load(golden.Embeddings).to(dtype), tensor(golden.Labels.ToArray()));
        errors["loss"] = Error([output.Loss], [golden.Loss], dtype);
        errors["gradEmbeddings"] = Error(Values(output.EmbeddingGradient), golden.EmbeddingGradient.Values, dtype);
        errors["gradCenters"] = Error(Values(parameters["centers.weight"].grad!), golden.CenterGradient.Values, dtype);
        if (golden.BiasGradient is not null)
        {
            errors["gradBias"] = Error(Values(parameters["objective.bias"].grad!), golden.BiasGradient, dtype);
        }

        foreach ((string name, double value) in golden.ExpectedAfter)
        {
            errors[name] = Error([OwnedTensors.Value(Find(buffers, Buffers[name], golden))], [value], dtype);
        }

        return new CaseOutcome(output.Loss, errors, dtype == ScalarType.Float64 ? DoubleTolerance : SingleTolerance);
    }

    private static RecognitionHead Create(LossCase golden, ScalarType dtype)
    {
        try
        {
            return golden.Spec.CreateHead(golden.Centers.Rows / golden.SubCenters, golden.Centers.Columns, seed: 0, dtype);
        }
        catch (UniFaceException e)
        {
            throw new UniFaceException($"case {golden.Number}: {e.Message}", e);
        }
    }

    private static double Error(double[] ours, IReadOnlyList<double> expected, ScalarType dtype)
    {
        double size = Math.Max(expected.Max(Math.Abs), Negligible);
        double largest = 0;
        for (int i = 0; i < expected.Count; i++)
        {
            double scale = dtype == ScalarType.Float64 ? Math.Max(1, Math.Abs(expected[i])) : size;
            double error = Math.Abs(ours[i] - expected[i]) / scale;
            largest = Math.Max(largest, double.IsNaN(error) ? double.PositiveInfinity : error);
        }

        return largest;
    }

    private static Tensor Find(Dictionary<string, Tensor> buffers, string name, LossCase golden) => buffers.GetValueOrDefault(name)
        ?? throw new UniFaceException($"case {golden.Number}: loss '{golden.Spec.Name}' keeps no {name}.");

    private static Tensor Load(CaseMatrix matrix) => tensor(matrix.Values.ToArray()).view(matrix.Rows, matrix.Columns);

    private static double[] Values(Tensor gradient) => gradient.to(ScalarType.Float64).contiguous().data<double>().ToArray();
}
