namespace UniFace.Training.Backward;

/// <summary>Runs the layers of a backbone and defines how gradients flow back through them. Layers are written once against it.</summary>
internal abstract class GradientEngine
{
    /// <summary>Applies a differentiable libtorch operation.</summary>
    /// <returns>A new tensor, never <paramref name="input"/> itself.</returns>
    public abstract Tensor Apply(Tensor input, Func<Tensor, Tensor> operation);

    /// <summary>act(norm(input)) + residual.</summary>
    /// <param name="input">[B, C] or [B, C, H, W].</param>
    /// <param name="norm">The batch norm.</param>
    /// <param name="slope">Slopes of the PReLU that follows, [C], or null for no activation.</param>
    /// <param name="residual">Added to the output, or null. Its gradient is the caller's concern (see <see cref="Add"/>).</param>
    public virtual Tensor Normalize(Tensor input, NormState norm, Parameter? slope, Tensor? residual)
    {
        Tensor output = Apply(input, norm.Apply);
        if (slope is not null)
        {
            using Tensor before = output;
            output = Apply(before, x => x.prelu(slope));
        }

        return residual is null ? output : output.add_(residual); // Neither batch_norm nor prelu saves its output for the backward pass.
    }

    /// <summary>body(input) + shortcut(input).</summary>
    /// <param name="input">Input of both branches.</param>
    /// <param name="body">Runs the body on the given engine and adds the given tensor to its output.</param>
    /// <param name="shortcut">Runs the shortcut on the given engine, or null for the identity.</param>
    public abstract Tensor Add(Tensor input, Func<GradientEngine, Tensor, Tensor> body, Func<GradientEngine, Tensor>? shortcut);
}

/// <summary>Parameters and running statistics of a batch norm, each [C]. Owned by its layer.</summary>
/// <param name="Weight">Scale.</param>
/// <param name="Bias">Shift.</param>
/// <param name="Mean">Running mean.</param>
/// <param name="Variance">Running variance.</param>
/// <param name="Momentum">Share of a batch's statistics in the running ones.</param>
/// <param name="Training">True: normalizes by the batch's statistics and updates the running ones.</param>
internal readonly record struct NormState(Parameter Weight, Parameter Bias, Tensor Mean, Tensor Variance, double Momentum, bool Training)
{
    /// <summary>Added to the variance.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>The processes over whose batches the statistics are taken while training; null for this process's batch alone.</summary>
    public ICommunicator? Synchronized { get; init; }

    /// <summary>The batch norm as one libtorch operation.</summary>
    public Tensor Apply(Tensor input) => nn.functional.batch_norm(input, Mean, Variance, Weight, Bias, Training, Momentum, Epsilon);
}
