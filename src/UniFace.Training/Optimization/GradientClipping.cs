using TorchSharp;
using UniFace.Training.Kernels;
using static TorchSharp.torch;

namespace UniFace.Training.Optimization;

/// <summary>Clips gradients by their norm over all parameters together, as torch.nn.utils.clip_grad_norm_ does.</summary>
public static class GradientClipping
{
    /// <summary>
    /// Scales all gradients down so that their common L2 norm is at most <paramref name="maxNorm"/>;
    /// leaves them alone where the norm is not finite. One transfer from the device.
    /// </summary>
    /// <param name="parameters">The parameters; those without a gradient are passed over.</param>
    /// <param name="maxNorm">The largest norm allowed; 0 only measures.</param>
    /// <returns>The norm before clipping; NaN or infinite where a gradient is.</returns>
    public static double Clip(IReadOnlyList<NamedParameter> parameters, double maxNorm)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        List<Tensor> others = [];
        List<Tensor> norms = [];
        List<Stretch> stretches = [];
        foreach (NamedParameter parameter in parameters)
        {
            if (parameter.Value.grad is Tensor gradient && !Stretch.TryAdd(stretches, gradient, gradient))
            {
                others.Add(gradient);
                norms.Add(gradient.norm().to(ScalarType.Float32));
            }
        }

        double[] squares = new double[stretches.Count];
        Team.Run(squares.Length, i => squares[i] = Elements.SquaredNorm(stretches[i]));
        double total = squares.Sum();
        if (norms.Count > 0)
        {
            double norm = stack(norms).norm().item<float>();
            total += norm * norm;
        }

        total = Math.Sqrt(total);
        double factor = maxNorm / (total + 1e-6);
        if (maxNorm > 0 && double.IsFinite(total) && factor < 1)
        {
            Team.Run(stretches.Count, i => Elements.Scale(stretches[i], (float)factor));
            foreach (Tensor gradient in others)
            {
                gradient.mul_((float)factor);
            }
        }

        return total;
    }
}
