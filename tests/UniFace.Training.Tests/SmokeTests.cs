using TorchSharp;

namespace UniFace.Training.Tests;

public class SmokeTests
{
    [Fact]
    public void Torch_loads()
    {
        using torch.Tensor x = torch.ones(3);
        Assert.Equal(3, x.sum().item<float>());
    }
}
