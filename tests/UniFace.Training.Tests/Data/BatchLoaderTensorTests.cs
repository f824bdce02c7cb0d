using TorchSharp;
using UniFace.Training.Data;

namespace UniFace.Training.Tests.Data;

/// <summary>The loader leaves no tensor behind.</summary>
[Collection(SerialCollection.Name)]
public class BatchLoaderTensorTests
{
    [Fact]
    public void Reading_that_ends_early_leaves_no_tensor_behind()
    {
        using MemoryDataset dataset = new([5, 9, 1, 14]);
        LoaderOptions options = new() { BatchSize = 4, Seed = 3, Threads = 3, InputSize = (8, 6) };
        BatchLoader loader = new(dataset, new RawDecoder(), new UniformSampler(29, 7), AugmentOptions.Default, options);
        loader.Read(0).First().Dispose();
        long before = torch.Tensor.TotalCount;
        for (int i = 0; i < 20; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            TrainingBatch[] taken = [.. loader.Read(i).Take(2)];
            scope.Dispose();
            Assert.Equal([4, 3, 6, 8], taken[1].Images.shape); // A dispose scope of the caller does not own the tensors.
            Assert.Equal(4, taken[1].Labels.NumberOfElements);
            taken[0].Dispose();
            taken[1].Dispose();
        }

        // It may be fewer, when the collector frees what other tests have left.
        Assert.InRange(torch.Tensor.TotalCount, 0, before);
    }
}
