using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Head;
using static TorchSharp.torch;

namespace UniFace.Cli.Losses;

/// <summary>The result of a case in one type.</summary>
/// <param name="Loss">The computed loss.</param>
/// <param name="Errors">The error of each quantity: "loss", "gradEmbeddings", "gradCenters", "gradBias", and state by the file's names.</param>
/// <param name="Tolerance">The largest error allowed.</param>
internal sealed record CaseOutcome(double Loss, IReadOnlyDictionary<string, double> Errors, double Tolerance)
{
    /// <summary>The largest error.</summary>
    public double MaxError => Errors.Values.Max();

    /// <summary>True if no error exceeds the tolerance.</summary>
    public bool Passed => MaxError <= Tolerance;
}

/// <summary>
/// Runs a case and compares. In float64 the error of a quantity is max |ours - expected| / max(1, |expected|), at most 1e-9; in float32 it
/// is max |ours - expected| / max |expected|, at most 1e-4. NaN counts as an infinite error.
/// </summary>
internal static class LossCheck
{
    /// <summary>The largest error allowed in float64.</summary>
    public const double DoubleTolerance = 1e-9;

    /// <summary>The largest relative error allowed in float32.</summary>
    public const double SingleTolerance = 1e-4;

    /// <summary>Below this size, expected values are compared absolutely in float32.</summary>
    private const double Negligible = 1e-3;

    /// <summary>Runs a case in float32 or float64.</summary>
    /// <exception cref="UniFaceException">The case has too few classes, or state, margins or biases that its loss does not have.</exception>
    public static CaseOutcome Run(LossCase golden, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead head = Create(golden, dtype);
        Dictionary<string, Tensor> buffers = head.named_buffers().ToDictionary(b => b.name, b => b.buffer);
        Dictionary<string, Parameter> parameters = head.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        int biases = parameters.TryGetValue("objective.bias", out Parameter? bias) ? (int)bias.numel() : 0;
        if (golden.Bias.Length != biases || golden.GradBias.Length != biases)
        {
            throw Invalid(golden, $"bias and gradBias must have {Plural.Format(biases, "value")}.");
        }

        using (no_grad())
        {
            parameters["centers.weight"].copy_(Matrix(golden.Centers));
            foreach ((string name, double value) in golden.Parameters.State)
            {
                Buffer(name).fill_(value);
            }

            bias?.copy_(tensor(golden.Bias));
        }

        if (golden.Parameters.Margins is IReadOnlyList<double> margins)
        {
            (head.Margin as ElasticFaceMargin ?? throw Invalid(golden, "the loss takes no params.margins.")).FixedMargins = margins;
        }

        Dictionary<string, double> errors = [];
        CompareState("s0", "objective.s", golden.S0);
        Tensor labels = tensor((long[])[.. golden.Labels.Select(label => (long)label / golden.CentersPerClass)]);
        using HeadOutput output = head.ForwardBackward(Matrix(golden.Embeddings).to(dtype), labels);
        errors["loss"] = Error([output.Loss], [golden.Loss], dtype);
        Compare("gradEmbeddings", output.EmbeddingGradient, golden.GradEmbeddings.SelectMany(row => row));
        Compare("gradCenters", parameters["centers.weight"].grad!, golden.GradCenters.SelectMany(row => row));
        if (bias is not null)
        {
            Compare("gradBias", bias.grad!, golden.GradBias);
        }

        CompareState("t", "margin.t", golden.T);
        CompareState("batchMean", "margin.mean", golden.BatchMean);
        CompareState("batchStd", "margin.deviation", golden.BatchStd);
        CompareState("s1", "objective.s", golden.S1);
        return new CaseOutcome(output.Loss, errors, dtype == ScalarType.Float64 ? DoubleTolerance : SingleTolerance);

        Tensor Buffer(string name) => buffers.GetValueOrDefault(name)
            ?? throw Invalid(golden, $"the loss has no state {name}.");

        void CompareState(string name, string buffer, double? expected)
        {
            if (expected is double value)
            {
                Compare(name, Buffer(buffer), [value]);
            }
        }

        void Compare(string name, Tensor actual, IEnumerable<double> expected) =>
            errors[name] = Error(actual.to(ScalarType.Float64).contiguous().data<double>().ToArray(), [.. expected], dtype);
    }

    private static RecognitionHead Create(LossCase golden, ScalarType dtype)
    {
        try
        {
            return golden.Parameters.Loss.CreateHead(golden.Centers.Length / golden.CentersPerClass, golden.Centers[0].Length, seed: 0, dtype);
        }
        catch (UniFaceException e)
        {
            throw Invalid(golden, e.Message);
        }
    }

    private static UniFaceException Invalid(LossCase golden, string message) => new($"case {golden.Number} ({golden.Name}): {message}");

    private static double Error(double[] ours, double[] expected, ScalarType dtype)
    {
        double size = Math.Max(expected.Max(Math.Abs), Negligible);
        double largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double scale = dtype == ScalarType.Float64 ? Math.Max(1, Math.Abs(expected[i])) : size;
            double error = Math.Abs(ours[i] - expected[i]) / scale;
            largest = Math.Max(largest, double.IsNaN(error) ? double.PositiveInfinity : error);
        }

        return largest;
    }

    private static Tensor Matrix(double[][] rows) => tensor((double[])[.. rows.SelectMany(row => row)], [rows.Length, rows[0].Length]);
}
