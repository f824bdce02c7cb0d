using TorchSharp;
using UniFace.Training.Runtime;

namespace UniFace.Training.Tests.Runtime;

/// <summary>libtorch loads; if it does not, the message says what to do.</summary>
public class TorchRuntimeTests
{
    [Fact]
    public void Torch_computes()
    {
        using torch.Tensor x = torch.ones(3);
        Assert.Equal(3, x.sum().item<float>());
    }

    [Theory]
    [InlineData("/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found", "Debian 13")]
    [InlineData("libgomp.so.1: cannot open shared object file: No such file or directory", "libgomp.so.1")]
    [InlineData("wrong ELF class: ELFCLASS32", "processor")]
    public void Remedy_names_what_is_missing(string reason, string named) =>
        Assert.Contains(named, TorchRuntime.Remedy(reason), StringComparison.Ordinal);
}
