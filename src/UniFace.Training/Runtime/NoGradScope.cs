namespace UniFace.Training.Runtime;

/// <summary>A dispose scope in which no gradients are recorded.</summary>
internal sealed class NoGradScope : IDisposable
{
    private readonly DisposeScope tensors = NewDisposeScope();
    private readonly IDisposable noGradient = no_grad();

    public void Dispose()
    {
        noGradient.Dispose();
        tensors.Dispose();
    }
}
