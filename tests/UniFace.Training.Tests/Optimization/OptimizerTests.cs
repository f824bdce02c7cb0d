using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Optimization;

namespace UniFace.Training.Tests.Optimization;

[Collection(SerialCollection.Name)]
public class OptimizerTests
{
    // Ours fuse multiplications and additions on every processor, libtorch's operators only on one that has FMA. A value below 1 is rounded by at
    // most 3e-8, at most twice per step by either; over 12 steps that is 1.4e-6.
    private const double Rounding = 12 * 4 * 3e-8;

    [Theory]
    [InlineData(0.9, 5e-4)]
    [InlineData(0.9, 0)]
    [InlineData(0, 5e-4)]
    public void Sgd_takes_the_same_steps_as_torchs_own(double momentum, double decay) => SameSteps(
        parameters => new SgdOptimizer(parameters, momentum, decay),
        parameters => torch.optim.SGD(parameters, 0.01, momentum, weight_decay: decay));

    [Fact]
    public void AdamW_takes_the_same_steps_as_torchs_own() => SameSteps(
        parameters => new AdamWOptimizer(parameters, 0.05),
        parameters => torch.optim.AdamW(parameters, 0.01, weight_decay: 0.05));

    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    public void Fused_update_equals_torch_operators(string kind)
    {
        // Every other column of a matrix has gaps in memory, so libtorch's operators update it. The fused kernel updates its dense copy.
        using torch.Generator generator = new(11);
        using torch.Tensor wide = torch.randn(3, 2002, generator: generator);
        using torch.Tensor gradients = torch.randn(3, 2002, generator: generator);
        torch.TensorIndex everyOther = torch.TensorIndex.Slice(step: 2);
        using Parameter apart = torch.nn.Parameter(wide[.., everyOther]);
        using Parameter dense = torch.nn.Parameter(wide[.., everyOther].contiguous());
        Assert.False(apart.is_contiguous());
        using ParameterOptimizer operators = Optimizer(kind, apart);
        using ParameterOptimizer pass = Optimizer(kind, dense);
        for (int step = 0; step < 5; step++)
        {
            apart.grad = gradients[.., everyOther] * (step + 1);
            dense.grad = apart.grad!.clone().contiguous();
            operators.Step(0.01);
            pass.Step(0.01);
            Assert.True(apart.allclose(dense, Rounding, Rounding), $"step {step}");
            Assert.All(operators.State, state => Assert.True(state.Value.allclose(pass.State[state.Key], Rounding, Rounding), $"step {step} {state.Key}"));
        }
    }

    [Fact]
    public void Rule_weights_decays_matrices_and_kernels_only()
    {
        using Sequential net = Net();
        IReadOnlyList<NamedParameter> all = ParameterGroups.Collect(WeightDecayRule.All, [("backbone", net)]);
        IReadOnlyList<NamedParameter> weights = ParameterGroups.Collect(WeightDecayRule.Weights, [("backbone", net)]);
        Assert.All(all, p => Assert.True(p.Decays));
        Assert.Equal(
            ["backbone.0.weight", "backbone.4.weight"],
            weights.Where(p => p.Decays).Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal(all.Count, weights.Count);
    }

    [Fact]
    public void A_parameter_without_decay_and_gradient_does_not_move()
    {
        using Parameter x = torch.nn.Parameter(torch.ones(3));
        x.sum().backward();
        x.grad!.zero_();
        using SgdOptimizer optimizer = new([new NamedParameter("x", x, Decays: false)], 0.9, 0.5);
        optimizer.Step(1);
        Assert.Equal([1f, 1f, 1f], x.data<float>().ToArray());
    }

    [Fact]
    public void An_optimizer_with_restored_state_continues_to_the_same_bits()
    {
        using Parameter a = torch.nn.Parameter(torch.linspace(-1, 1, 7));
        using Parameter b = torch.nn.Parameter(torch.linspace(-1, 1, 7));
        using AdamWOptimizer whole = new([new NamedParameter("p", a, true)]);
        AdamWOptimizer part = new([new NamedParameter("p", b, true)]);
        for (int step = 0; step < 6; step++)
        {
            if (step == 3)
            {
                AdamWOptimizer next = new([new NamedParameter("p", b, true)]);
                next.Restore(part.Steps, part.State);
                part.Dispose();
                part = next;
            }

            foreach ((Parameter p, ParameterOptimizer optimizer) in new[] { (a, (ParameterOptimizer)whole), (b, part) })
            {
                optimizer.ClearGradients();
                p.pow(4).sum().backward();
                optimizer.Step(0.01);
            }
        }

        Assert.Equal(a.data<float>().ToArray(), b.data<float>().ToArray());
        part.Dispose();
    }

    [Fact]
    public void State_of_another_model_is_refused()
    {
        using Parameter x = torch.nn.Parameter(torch.ones(3));
        using SgdOptimizer optimizer = new([new NamedParameter("x", x, true)]);
        using torch.Tensor wrong = torch.ones(4);
        Assert.Throws<UniFaceException>(() => optimizer.Restore(1, new Dictionary<string, torch.Tensor> { ["momentum.x"] = wrong }));
        Assert.Throws<UniFaceException>(() => optimizer.Restore(1, new Dictionary<string, torch.Tensor> { ["momentum.y"] = x }));
    }

    private static ParameterOptimizer Optimizer(string kind, Parameter parameter)
    {
        NamedParameter[] all = [new("p", parameter, true)];
        return kind == "sgd" ? new SgdOptimizer(all, 0.9, 0.05) : new AdamWOptimizer(all, 0.05);
    }

    /// <summary>Both get the same random gradients: the gradients of two nets would feed the rounding of a step back into the next one.</summary>
    private static void SameSteps(
        Func<IReadOnlyList<NamedParameter>, ParameterOptimizer> ours, Func<IEnumerable<Parameter>, torch.optim.Optimizer> theirs)
    {
        using torch.Generator generator = new(5);
        using Linear a = torch.nn.Linear(40, 30);
        using Linear b = torch.nn.Linear(40, 30);
        using (torch.no_grad())
        {
            foreach (Parameter parameter in a.parameters())
            {
                parameter.uniform_(-0.5, 0.5, generator);
            }
        }

        b.load_state_dict(a.state_dict());
        using ParameterOptimizer our = ours(ParameterGroups.Collect(WeightDecayRule.All, [("m", a)]));
        using torch.optim.Optimizer their = theirs(b.parameters());
        for (int step = 0; step < 12; step++)
        {
            foreach ((Parameter mine, Parameter its) in a.parameters().Zip(b.parameters()))
            {
                mine.grad = torch.randn(mine.shape, generator: generator) * 0.1;
                its.grad = mine.grad!.clone();
            }

            our.Step(0.01);
            their.step();
            foreach ((Parameter mine, Parameter its) in a.parameters().Zip(b.parameters()))
            {
                Assert.True((mine - its).abs().max().item<float>() <= Rounding, $"step {step}");
            }
        }
    }

    private static Sequential Net() => torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.BatchNorm2d(4),
        torch.nn.PReLU(4),
        torch.nn.Flatten(),
        torch.nn.Linear(4 * 6 * 6, 2));
}
