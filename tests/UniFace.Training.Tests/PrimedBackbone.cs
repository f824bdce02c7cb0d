using TorchSharp;
using UniFace.Training.Backbones;
using static TorchSharp.torch;

namespace UniFace.Training.Tests;

/// <summary>Backbones as if trained for a while: no scale 1, no shift 0, running statistics of real activations.</summary>
internal static class PrimedBackbone
{
    /// <summary>The backbones to test. iresnet200 has the blocks of iresnet100, twice as many; tests/nightly.sh adds it.</summary>
    public static IEnumerable<string> Tested => TestRuntime.Backbones.Where(
        name => name != "iresnet200" || Environment.GetEnvironmentVariable("UNIFACE_EVERY_BACKBONE") is not null);

    public static IEnumerable<TheoryDataRow<string>> Names => Tested.Select(name => new TheoryDataRow<string>(name));

    public static Backbone Create(string name, int embeddingSize = 512, double width = 1, long seed = 7)
    {
        Backbone backbone = BackboneRegistry.Create(new BackboneSpec(name, width, embeddingSize), seed);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable quiet = no_grad();
        using Generator random = new(11);
        foreach ((_, nn.Module module) in backbone.named_modules())
        {
            if (module is BatchNorm or PRelu or UnitLinear)
            {
                foreach ((string _, TorchSharp.Modules.Parameter parameter) in module.named_parameters(recurse: false))
                {
                    parameter.add_(empty_like(parameter).uniform_(-0.2, 0.2, random));
                }
            }

            if (module is BatchNorm norm)
            {
                norm.Momentum = 1;
            }
        }

        backbone.train();
        backbone.call(Input(2, seed: 3, backbone));
        foreach ((_, nn.Module module) in backbone.named_modules())
        {
            if (module is BatchNorm norm)
            {
                norm.Momentum = 0.1;
            }
        }

        backbone.eval();
        return backbone;
    }

    /// <summary>Noise of a backbone's input, [batch, 3, S, S].</summary>
    public static Tensor Input(int batch, long seed, Backbone? backbone = null)
    {
        using Generator random = new((ulong)seed);
        int side = (backbone?.Input ?? BackboneInput.Default).Side;
        return randn(batch, 3, side, side, generator: random);
    }
}
