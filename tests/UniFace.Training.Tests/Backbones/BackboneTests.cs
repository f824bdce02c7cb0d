using System.Security.Cryptography;
using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Backbones;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Backbones;

/// <summary>Invariants of every backbone of the registry.</summary>
public class BackboneTests
{
    public static IEnumerable<TheoryDataRow<string>> Names => PrimedBackbone.Names;

    private const long DlibConvolutions = (7 * 7 * 3 * 32) + 32 + (6 * ((9 * 32 * 32) + 32)) + ((9 * 32 * 64) + 64) + (7 * ((9 * 64 * 64) + 64))
        + ((9 * 64 * 128) + 128) + (5 * ((9 * 128 * 128) + 128)) + ((9 * 128 * 256) + 256) + (7 * ((9 * 256 * 256) + 256));

    /// <summary>
    /// Parameters at 512 values. MobileFaceNet and IResNet: counted by PyTorch on the same networks built there from the papers'
    /// tables, without IResNet's linear bias of 512, which the batch norm behind it makes void; InsightFace states 24.0, 34.1, 43.6,
    /// 65.2 M. dlib's: its 29 convolutions with biases, and the linear layer with a bias that dlib has not; mapped: another linear layer.
    /// EfficientNet-B0: torchvision's features, 4,007,548, and the head 7*7*1280 + 2*1280 + 1280*512 + 2*512.
    /// </summary>
    [Theory]
    [InlineData("mobilefacenet", 1, 1_200_512)]
    [InlineData("mobilefacenet", 0.25, 370_784)]
    [InlineData("mobilefacenet", 0.5, 549_056)]
    [InlineData("mobilefacenet", 2, 3_683_072)]
    [InlineData("iresnet18", 1, 24_025_600 - 512)]
    [InlineData("iresnet34", 1, 34_139_328 - 512)]
    [InlineData("iresnet50", 1, 43_590_848 - 512)]
    [InlineData("iresnet100", 1, 65_156_160 - 512)]
    [InlineData("iresnet200", 1, 118_833_920 - 512)]
    [InlineData("dlib-resnet", 1, DlibConvolutions + (256 * 512) + 512)]
    [InlineData("dlib-resnet-mapped", 1, DlibConvolutions + (256 * 512) + 512 + (512 * 512) + 512)]
    [InlineData("efficientnet-b0", 1, 4_007_548 + (7 * 7 * 1280) + (2 * 1280) + (1280 * 512) + (2 * 512))]
    public void The_parameter_count_is_the_published_one(string name, double width, long expected)
    {
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec(name, width), seed: 1);
        Assert.Equal(expected, backbone.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Mobilefacenet_of_128_values_is_the_papers_0_99_million()
    {
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec("mobilefacenet", EmbeddingSize: 128), seed: 1);
        Assert.Equal(1_200_512 - (384 * 512) - (2 * 384), backbone.parameters().Sum(parameter => parameter.numel()));
        Assert.InRange(backbone.parameters().Sum(parameter => parameter.numel()), 985_000, 1_005_000);
    }

    [Fact]
    public void A_residual_requires_a_body_that_ends_in_a_norm()
    {
        using Chain bare = new(new UniFace.Training.Backbones.BatchNorm(2), new PRelu(2), new PRelu(2));
        Assert.Throws<ArgumentException>(() => new Residual(bare));
        using Residual normed = new(new Chain(new UniFace.Training.Backbones.BatchNorm(2), new PRelu(2)));
        using Tensor input = ones(1, 2, 1, 1);
        using Tensor output = normed.forward(input);
        Assert.Equal(1, output.mean().item<float>(), 1e-3f); // Equal values normalize to 0, so the output is the residual.
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_embedding_has_the_requested_size(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable quiet = no_grad();
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec(name, EmbeddingSize: 128), seed: 1);
        Assert.Equal([2, 128], backbone.call(PrimedBackbone.Input(2, seed: 1, backbone)).shape);
    }

    /// <summary>
    /// In eval mode, where a batch norm is a fixed scale and shift: in training mode a shift that only batch norms see has
    /// a gradient of zero by design, and rounding would hide a parameter that is not connected.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void The_gradient_reaches_every_parameter(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using Backbone backbone = PrimedBackbone.Create(name);
        Tensor embeddings = backbone.call(PrimedBackbone.Input(1, seed: 5, backbone));
        embeddings.backward([randn_like(embeddings)]);
        foreach ((string parameterName, Parameter parameter) in backbone.named_parameters())
        {
            Assert.True(parameter.grad is not null, $"{parameterName} has no gradient");
            double norm = parameter.grad!.norm().item<float>();
            Assert.True(norm > 0 && double.IsFinite(norm), $"the gradient of {parameterName} has norm {norm}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_training_step_gives_finite_gradients_and_leaves_no_tensor(string name)
    {
        using Backbone backbone = BackboneRegistry.Create(new BackboneSpec(name), seed: 1);
        using Tensor input = PrimedBackbone.Input(2, seed: 5, backbone);
        long Live() => DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        long before = Live();
        using (Tensor embeddings = backbone.call(input))
        {
            using Tensor gradient = randn_like(embeddings);
            embeddings.backward([gradient]);
            using Tensor finite = embeddings.isfinite();
            using Tensor all = finite.all();
            Assert.True(all.item<bool>());
        }

        Assert.Equal(before, Live());

        foreach (Parameter parameter in backbone.parameters())
        {
            using Tensor gradient = parameter.grad!;
            using Tensor sum = gradient.sum();
            Assert.True(float.IsFinite(sum.item<float>()));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_saved_and_loaded_backbone_gives_the_same_bits(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable quiet = no_grad();
        using Backbone saved = PrimedBackbone.Create(name);
        using Backbone loaded = BackboneRegistry.Create(saved.Spec, seed: 99);
        using MemoryStream stream = new();
        using (BinaryWriter writer = new(stream, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            saved.save(writer);
        }

        stream.Position = 0;
        using BinaryReader reader = new(stream);
        loaded.load(reader);
        loaded.eval();
        Tensor input = PrimedBackbone.Input(1, seed: 5, saved);
        float[] first = saved.call(input).data<float>().ToArray();
        Assert.Equal(first, loaded.call(input).data<float>().ToArray());
        Assert.Equal(first, saved.call(input).data<float>().ToArray());
        Assert.All(first, value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Faces_of_a_batch_are_independent_in_evaluation_mode(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable quiet = no_grad();
        using Backbone backbone = PrimedBackbone.Create(name);
        string before = StateHash(backbone);
        Tensor input = PrimedBackbone.Input(2, seed: 5, backbone);
        Tensor together = backbone.call(input);
        Assert.Equal([2, 512], together.shape);
        Tensor alone = backbone.call(input[1].unsqueeze(0));
        double difference = (together[1] - alone[0]).abs().max().item<float>();
        Assert.True(difference <= 1e-4 * together.abs().max().item<float>(), $"differs by {difference}");
        Assert.Equal(before, StateHash(backbone));

        // And training mode does see the batch: the mode reaches every batch norm.
        backbone.train();
        backbone.call(input);
        foreach ((string key, nn.Module module) in backbone.named_modules())
        {
            Assert.True(module.training, $"{key} is not in training mode");
        }

        if (backbone.modules().OfType<UniFace.Training.Backbones.BatchNorm>().Any())
        {
            Assert.NotEqual(before, StateHash(backbone));
        }
    }

    private static string StateHash(Backbone backbone)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string key, Tensor tensor) in backbone.state_dict())
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(key));
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(tensor.data<float>().ToArray()));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
