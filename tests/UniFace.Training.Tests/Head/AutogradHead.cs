using TorchSharp;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Head.Margins;
using UniFace.Training.Head.Objectives;
using UniFace.Training.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Head;

/// <summary>
/// Class centers x margin x objective in plain autograd over the whole B x C matrix: the specification that the tiled head must match.
/// It shares the parameters of a head and its margin, whose formulas are differentiable; the objectives are implemented again here.
/// </summary>
internal sealed class AutogradHead(RecognitionHead head)
{
    /// <summary>The loss, with the gradients of embeddings and parameters left in their .grad.</summary>
    /// <param name="embeddings">[B, D], a leaf that requires a gradient.</param>
    /// <param name="labels">[B] int64.</param>
    /// <param name="weights">[B] or null.</param>
    /// <param name="scale">Factor on the gradients.</param>
    /// <param name="classes">[R]: the classes of the step; null: all.</param>
    public double ForwardBackward(Tensor embeddings, Tensor labels, Tensor? weights = null, double scale = 1, long[]? classes = null)
    {
        using DisposeScope scope = NewDisposeScope();
        ClassCenters centers = head.Centers;
        int k = centers.SubCenters;
        Tensor ids = classes is null ? arange(centers.Classes, ScalarType.Int64) : tensor(classes); // [R]
        Tensor columns = tensor(labels.data<long>().ToArray().Select(l => classes is null ? l : Array.IndexOf(classes, l)).ToArray()); // [B]
        Tensor rows = centers.Weight.view(centers.Classes, k, -1).index_select(0, ids).flatten(0, 1); // [R * K, D]
        bool raw = centers.Similarity == Similarity.InnerProduct;
        Tensor all = raw ? embeddings.matmul(rows.t()) : UnitVectors.Normalize(embeddings).matmul(UnitVectors.Normalize(rows).t());
        Tensor similarities = all.view(all.shape[0], -1, k).max(2).values; // [B, R]
        Tensor target = similarities.gather(1, columns.unsqueeze(1)).squeeze(1); // [B]
        MarginInput input = new(target, Sine(embeddings, labels), UnitVectors.Norm(embeddings).squeeze(1));
        using (no_grad())
        {
            head.Margin.Update(input);
            Observe(similarities.detach(), columns);
        }

        Tensor losses = Loss(head.Margin.Target(input), head.Margin.NonTarget(similarities, input), columns, ids, input.Norm);
        if (head.Margin.Regularizer(input) is Tensor regularizer)
        {
            losses += regularizer;
        }

        Tensor loss = (weights is null ? losses : losses * weights).mean();
        (loss * scale).backward();
        return loss.to(ScalarType.Float64).item<double>();
    }

    private static Tensor Softplus(Tensor x) => -nn.functional.logsigmoid(-x);

    private Tensor Sine(Tensor embeddings, Tensor labels)
    {
        using IDisposable none = no_grad();
        Tensor own = head.Centers.Weight.view(head.Centers.Classes, head.Centers.SubCenters, -1).index_select(0, labels); // [B, K, D]
        Tensor cosines = nn.functional.cosine_similarity(own, embeddings.unsqueeze(1), 2); // [B, K]
        Tensor nearest = cosines.argmax(1).view(-1, 1, 1).expand(-1, 1, own.shape[2]);
        return UnitVectors.Sine(embeddings, own.gather(1, nearest).squeeze(1));
    }

    /// <summary>AdaCos: the scale before the loss.</summary>
    private void Observe(Tensor cosines, Tensor columns)
    {
        if (head.Objective is AdaCosObjective { UpdatesPerBatch: true } adaptive)
        {
            Tensor s = adaptive.get_buffer("s")!;
            Tensor index = columns.unsqueeze(1);
            Tensor others = (cosines * s).exp().scatter(1, index, zeros(index.shape, dtype: cosines.dtype)).sum();
            Tensor angle = cosines.gather(1, index).clamp(-1, 1).acos().median();
            s.copy_(((others / cosines.shape[0]).log() / angle.clamp_max(Math.PI / 4).cos()).clamp_min(0.01));
        }
    }

    private Tensor Loss(Tensor target, Tensor others, Tensor columns, Tensor ids, Tensor norm)
    {
        switch (head.Objective)
        {
            case SoftmaxObjective softmax:
                Tensor factor = softmax.Scale(norm);
                Tensor logits = others.scatter(1, columns.unsqueeze(1), target.unsqueeze(1)) * factor; // [B, R]
                return nn.functional.cross_entropy(logits, columns, reduction: nn.Reduction.None) * softmax.Factor;
            case BinaryObjective binary:
                return Binary(binary, target, others, columns, ids);
            default:
                throw new InvalidOperationException($"No specification of {head.Objective.GetName()}.");
        }
    }

    private static Tensor Binary(BinaryObjective terms, Tensor target, Tensor others, Tensor columns, Tensor ids)
    {
        Tensor bias = terms.Bias * terms.Sign;
        Tensor rows = bias.shape[0] == 1 ? bias : bias.index_select(0, ids); // [1] or [R]
        Tensor own = bias.shape[0] == 1 ? bias : rows.index_select(0, columns); // [1] or [B]
        Tensor Soft(Tensor x) => Softplus(terms.Clamp ? x.clamp(-terms.Scale, terms.Scale) : x);
        Tensor index = columns.unsqueeze(1); // [B, 1]
        Tensor negative = Soft(others * terms.Scale - rows).scatter(1, index, zeros(index.shape, dtype: others.dtype)).sum(1); // [B]
        return Soft(own - target * terms.Scale) * terms.Positive + negative * terms.Negative;
    }
}
