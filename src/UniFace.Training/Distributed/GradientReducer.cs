namespace UniFace.Training.Distributed;

/// <summary>
/// Sums the gradients of a backbone over the ranks, in buckets, while the backward pass is still computing those of earlier layers. The first
/// backward pass shows which gradients are complete after which layer; the buckets follow from that.
/// </summary>
/// <param name="communicator">The ranks.</param>
/// <param name="parameters">The parameters that every rank has, except those that the head sums itself.</param>
internal sealed class GradientReducer(ICommunicator communicator, IReadOnlyList<Parameter> parameters) : IDisposable
{
    /// <summary>A bucket is sent when it has this many values or more.</summary>
    public const int BucketValues = 1 << 18;

    private readonly List<Bucket> buckets = [];
    private List<int>? completed = []; // While the first pass is observed: the parameters whose gradients are complete, in order.
    private readonly List<int> layerOf = []; // The layer of each of them.
    private int layer;
    private int next; // The bucket that is sent next.
    private bool sends;

    /// <summary>Number of buckets, which is the number of collectives per step; known after the first step.</summary>
    public int Buckets => buckets.Count;

    /// <summary>Begins a backward pass.</summary>
    /// <param name="last">True for the last batch of a step, whose backward pass completes the gradients.</param>
    public void Begin(bool last)
    {
        layer = 0;
        sends = last && completed is null;
        if (last)
        {
            next = 0;
        }
    }

    /// <summary>Called after each layer of a backward pass.</summary>
    public void LayerDone()
    {
        if (completed is not null)
        {
            Observe();
        }

        layer++;
        for (; sends && next < buckets.Count && buckets[next].Layer < layer; next++)
        {
            buckets[next].Begin(communicator);
        }

        for (int i = 0; sends && i < next; i++)
        {
            buckets[i].Advance(); // MPI makes progress only when it is called.
        }
    }

    /// <summary>Ends the first backward pass of the first step.</summary>
    public void EndPass()
    {
        if (completed is null)
        {
            return;
        }

        Observe();
        List<int> bucket = [];
        long values = 0;
        for (int i = 0; i < completed.Count; i++)
        {
            bucket.Add(completed[i]);
            values += parameters[completed[i]].numel();
            if (values >= BucketValues || i == completed.Count - 1)
            {
                buckets.Add(new Bucket([.. bucket.Select(p => parameters[p])], values, layerOf[i]));
                bucket.Clear();
                values = 0;
            }
        }

        completed = null;
    }

    /// <summary>Sends what is left, and waits until every gradient is the sum over the ranks.</summary>
    public void Complete()
    {
        for (; next < buckets.Count; next++)
        {
            buckets[next].Begin(communicator);
        }

        foreach (Bucket bucket in buckets)
        {
            bucket.Complete();
        }
    }

    /// <summary>Disposes the memory of the buckets.</summary>
    public void Dispose() => buckets.ForEach(bucket => bucket.Dispose());

    private void Observe()
    {
        for (int i = 0; i < parameters.Count; i++)
        {
            if (!completed!.Contains(i))
            {
                using Tensor? gradient = parameters[i].grad;
                if (gradient is not null)
                {
                    completed.Add(i);
                    layerOf.Add(layer);
                }
            }
        }
    }

    /// <summary>Gradients that are sent together.</summary>
    private sealed class Bucket(IReadOnlyList<Parameter> members, long values, int layer) : IDisposable
    {
        private readonly Tensor buffer = empty([values], dtype: ScalarType.Float32).DetachFromDisposeScope();
        private IPendingSum? sum;

        /// <summary>The layer of the backward pass after which all gradients are complete.</summary>
        public int Layer => layer;

        public void Begin(ICommunicator communicator)
        {
            Copy((part, gradient) => part.copy_(gradient));
            sum = communicator.BeginSum(TensorMemory.Address(buffer), (int)values, Traffic.Backbone);
        }

        public void Advance() => sum?.Test();

        public void Complete()
        {
            sum!.Wait();
            sum = null;
            Copy((part, gradient) => gradient.copy_(part));
        }

        public void Dispose() => buffer.Dispose();

        private void Copy(Action<Tensor, Tensor> copy)
        {
            using NoGradScope scope = new();
            long at = 0;
            foreach (Parameter member in members)
            {
                using Tensor? gradient = member.grad;
                using Tensor part = buffer.narrow(0, at, member.numel()).view(member.shape);
                copy(part, gradient ?? throw new InvalidOperationException("A parameter that had a gradient in the first step has none."));
                at += member.numel();
            }
        }
    }
}
