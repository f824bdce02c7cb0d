namespace UniFace.Training.Head;

/// <summary>
/// The gradients, within one batch, of the objective's parameters that every process of a sharded head has. Those with a row per class belong to
/// the shards and are not among them.
/// </summary>
internal sealed class SharedGradients
{
    private readonly List<(Parameter Parameter, Tensor? Before)> parameters;

    /// <summary>Remembers the gradients before the batch.</summary>
    public SharedGradients(RecognitionHead head) => parameters = head.Exchange is null
        ? []
        : [.. head.Objective.parameters().Where(p => !head.Objective.PerClassParameters.Any(own => ReferenceEquals(own, p))).Select(p => (p, p.grad?.clone()))];

    /// <summary>What the batch has added.</summary>
    public float[] Added() =>
        [.. parameters.SelectMany(p => OwnedTensors.Floats(p.Before is null ? p.Parameter.grad! : p.Parameter.grad! - p.Before))];

    /// <summary>Replaces what the batch has added.</summary>
    public void Replace(float[] sums)
    {
        int at = 0;
        foreach ((Parameter parameter, Tensor? before) in parameters)
        {
            int count = (int)parameter.numel();
            Tensor sum = tensor(sums[at..(at + count)]).to(parameter.dtype, parameter.device).view(parameter.shape);
            parameter.grad!.copy_(before is null ? sum : sum + before);
            at += count;
        }
    }
}
