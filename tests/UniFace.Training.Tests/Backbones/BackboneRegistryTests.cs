using TorchSharp;
using UniFace.Training.Backbones;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Backbones;

public class BackboneRegistryTests
{
    [Fact]
    public void The_error_about_an_unknown_name_lists_all_names()
    {
        UniFaceException e = Assert.Throws<UniFaceException>(() => BackboneRegistry.Create(new BackboneSpec("resnet50"), 1));
        Assert.All(BackboneRegistry.Names, name => Assert.Contains(name, e.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("mobilefacenet", 0.2, 512)]
    [InlineData("mobilefacenet", 2.1, 512)]
    [InlineData("mobilefacenet", double.NaN, 512)]
    [InlineData("iresnet50", 0.5, 512)]
    [InlineData("efficientnet-b0", 2, 512)]
    [InlineData("mobilefacenet", 1, 4)]
    [InlineData("iresnet18", 1, 5000)]
    [InlineData("mobilefacenet", 1, -1)]
    public void A_size_out_of_range_is_refused(string name, double width, int size)
    {
        long live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        UniFaceException e = Assert.Throws<UniFaceException>(() => BackboneRegistry.Create(new BackboneSpec(name, width, size), 1));
        Assert.Contains(name, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Throws<UniFaceException>(() => BackboneRegistry.Validate(new BackboneSpec(name, width, size)));
    }

    [Theory]
    [InlineData("mobilefacenet", 0.25)]
    [InlineData("iresnet18", 1)]
    [InlineData("efficientnet-b0", 1)]
    public void The_seed_alone_decides_the_weights(string name, double width)
    {
        float[] Weights(long seed)
        {
            using DisposeScope scope = NewDisposeScope();
            using Backbone backbone = BackboneRegistry.Create(new BackboneSpec(name, width), seed);
            using IDisposable quiet = no_grad();
            return cat([.. backbone.parameters().Select(parameter => parameter.flatten())]).data<float>().ToArray();
        }

        float[] first = Weights(3);
        manual_seed(99);
        Assert.Equal(first, Weights(3));
        Assert.NotEqual(first, Weights(4));
    }

    [Fact]
    public void A_registered_backbone_is_created_by_its_name()
    {
        BackboneRegistry.Register("registered", (spec, seed) => new Registered(spec));
        using Backbone created = BackboneRegistry.Create(new BackboneSpec("registered", EmbeddingSize: 16), 1);
        Assert.IsType<Registered>(created);
        Assert.Contains("registered", BackboneRegistry.Names);
        Assert.Throws<UniFaceException>(() => BackboneRegistry.Create(new BackboneSpec("registered", Width: 2), 1));
        Assert.Throws<ArgumentException>(() => BackboneRegistry.Register("iresnet18", (spec, seed) => new Registered(spec)));
    }

    [Fact]
    public void Initial_weights_have_the_deviation_of_their_family()
    {
        using Backbone residual = BackboneRegistry.Create(new BackboneSpec("iresnet18"), 1);
        foreach (Tensor weight in residual.parameters().Where(parameter => parameter.dim() == 4 && parameter.numel() > 10_000))
        {
            Assert.InRange(weight.std().item<float>(), 0.098, 0.102);
        }

        using Backbone mobile = BackboneRegistry.Create(new BackboneSpec("mobilefacenet"), 1);
        foreach (Tensor weight in mobile.parameters().Where(parameter => parameter.dim() == 4 && parameter.numel() > 10_000))
        {
            double bound = 1 / Math.Sqrt(weight.shape[1] * weight.shape[2] * weight.shape[3]);
            Assert.InRange(weight.abs().max().item<float>(), 0.99 * bound, bound);
        }
    }

    [Fact]
    public void A_backbone_outlives_the_dispose_scope_it_was_built_in()
    {
        Backbone backbone;
        using (DisposeScope scope = NewDisposeScope())
        {
            backbone = BackboneRegistry.Create(new BackboneSpec("mobilefacenet", 0.25), 1);
        }

        using (backbone)
        {
            using DisposeScope scope = NewDisposeScope();
            Assert.True(backbone.call(PrimedBackbone.Input(2, seed: 1)).isfinite().all().item<bool>());
        }
    }

    [Theory]
    [InlineData("mobilefacenet")]
    [InlineData("iresnet18")]
    [InlineData("efficientnet-b0")]
    public void A_backbone_moves_to_another_type_with_all_parameters_and_buffers(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable quiet = no_grad();
        using Backbone backbone = PrimedBackbone.Create(name);
        Tensor input = PrimedBackbone.Input(1, seed: 1);
        Tensor single = backbone.call(input).to(ScalarType.Float64);
        backbone.to(ScalarType.Float64);
        Assert.All(backbone.state_dict(), entry => Assert.Equal(ScalarType.Float64, entry.Value.dtype));
        Tensor precise = backbone.call(input.to(ScalarType.Float64));
        Assert.Equal(ScalarType.Float64, precise.dtype);
        Assert.True((precise - single).norm().item<double>() < 1e-4 * precise.norm().item<double>());
    }

    [Fact]
    public void Disposing_a_backbone_frees_every_tensor_of_it()
    {
        long live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        BackboneRegistry.Create(new BackboneSpec("efficientnet-b0"), 1).Dispose();
        BackboneRegistry.Create(new BackboneSpec("iresnet18"), 1).Dispose();
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private sealed class Registered(BackboneSpec spec) : Backbone(spec)
    {
        public override Tensor forward(Tensor input) => input.flatten(1).narrow(1, 0, Spec.EmbeddingSize);
    }
}
