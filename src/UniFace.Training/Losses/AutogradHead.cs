using TorchSharp;
using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// Class centers x margin x objective written plainly with autograd: the specification of every loss. A batch's loss is the mean over
/// its B samples of weight * (objective + regulariser): divided by B, not by the sum of weights.
/// </summary>
public sealed class AutogradHead : RecognitionHead
{
    private readonly ClassCenters centers;
    private readonly Margin margin;
    private readonly Objective objective;

    /// <summary>A head of the three choices; it owns them.</summary>
    public AutogradHead(string name, ClassCenters centers, Margin margin, Objective objective)
        : base(name)
    {
        this.centers = centers;
        this.margin = margin;
        this.objective = objective;
        register_module(nameof(centers), centers);
        register_module(nameof(margin), margin);
        register_module(nameof(objective), objective);
    }

    /// <inheritdoc/>
    public override int Classes => centers.Classes;

    /// <inheritdoc/>
    public override int EmbeddingSize => centers.EmbeddingSize;

    /// <inheritdoc/>
    public override double? Threshold => objective.Threshold;

    /// <summary>The class centers.</summary>
    public ClassCenters Centers => centers;

    /// <summary>The margin.</summary>
    public Margin Margin => margin;

    /// <summary>The objective.</summary>
    public Objective Objective => objective;

    /// <inheritdoc/>
    /// <exception cref="UniFaceException">Embeddings are not [B, D], a label is out of range, or weights are not [B].</exception>
    public override HeadOutput ForwardBackward(Tensor embeddings, Tensor labels, Tensor? weights = null, double scale = 1)
    {
        HeadInput.Check(embeddings, labels, weights, Classes, EmbeddingSize);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable gradients = enable_grad();
        ScalarType dtype = centers.Weight.dtype;
        Device device = centers.Weight.device;
        Tensor x = embeddings.detach().to(dtype, device).clone().requires_grad_(true); // [B, D]
        Tensor targets = labels.to(ScalarType.Int64, device);
        ClassSelection selection = centers.Select(targets);
        Tensor columns = selection.Columns; // [B]
        Tensor index = columns.unsqueeze(1); // [B, 1]
        Tensor similarities = centers.Compare(x, selection.Classes); // [B, R]
        MarginInput input = new(similarities.gather(1, index).squeeze(1), centers.TargetSine(x, targets), Directions.Norm(x).squeeze(1));
        Tensor cosines = Cosines(similarities, x, selection.Classes); // [B, R]
        Tensor targetCosine = cosines.gather(1, index).squeeze(1); // [B]
        using (no_grad())
        {
            margin.Observe(input);
            objective.Observe(cosines, targetCosine, columns);
        }

        Tensor samples = objective.Loss(new ObjectiveInput(margin.Target(input), margin.NonTarget(similarities, input), columns, selection.Classes, input.Norm)); // [B]
        if (margin.Regulariser(input) is Tensor regulariser)
        {
            samples += regulariser;
        }

        if (weights is not null)
        {
            samples *= weights.detach().to(dtype, device);
        }

        Tensor loss = samples.mean();
        (loss * scale).backward();
        Tensor hardest = cosines.scatter(1, index, full_like(targetCosine, -1).unsqueeze(1)).amax([1]); // [B]
        return new HeadOutput(
            loss.to(ScalarType.Float64).item<double>(),
            x.grad!.to(embeddings.dtype, embeddings.device).MoveToOuterDisposeScope(),
            targetCosine.MoveToOuterDisposeScope(),
            hardest.MoveToOuterDisposeScope());
    }

    /// <summary>The cosines behind the similarities, without a gradient, in [-1, 1].</summary>
    private Tensor Cosines(Tensor similarities, Tensor x, Tensor? classes)
    {
        if (centers.Similarity == Similarity.Cosine)
        {
            return similarities.detach().clamp(-1, 1);
        }

        using (no_grad())
        {
            Tensor rows = classes is null ? centers.Weight : centers.Weight.index_select(0, classes);
            return Directions.Unit(x).matmul(Directions.Unit(rows).t()).clamp(-1, 1);
        }
    }
}
