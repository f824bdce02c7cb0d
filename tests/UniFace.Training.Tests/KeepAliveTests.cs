using System.Reflection;
using TorchSharp;
using static TorchSharp.torch;

namespace UniFace.Training.Tests;

/// <summary>No garbage collection frees a scalar or a tensor under a native call that reads it (build/TorchSharp/KeepAlive.cs).</summary>
public sealed class KeepAliveTests
{
    [Fact]
    public void Native_calls_keep_their_scalars_and_tensors_alive()
    {
        const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        MethodInfo[] methods =
        [
            .. typeof(Tensor).GetMethods(all).Concat(typeof(torch).GetMethods(all)).Concat(typeof(nn.functional).GetMethods(all))
                .Where(m => m.GetMethodBody() is not null)
                .Where(m => m.GetParameters().Any(p => p.ParameterType == typeof(Scalar) || p.ParameterType == typeof(Tensor))),
        ];
        Assert.True(methods.Length > 500, $"{methods.Length} methods");
        Assert.All(methods, m => Assert.Equal(
            MethodImplAttributes.NoOptimization | MethodImplAttributes.NoInlining,
            m.MethodImplementationFlags & (MethodImplAttributes.NoOptimization | MethodImplAttributes.NoInlining)));
    }

    [Fact]
    public void Operations_with_scalars_are_right_while_the_garbage_collector_runs()
    {
        using CancellationTokenSource done = new();
        Thread collector = new(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect(0);
                Thread.SpinWait(2000);
            }
        });
        collector.Start();
        try
        {
            Parallel.For(0, 4, k =>
            {
                using Tensor x = ones([4], dtype: ScalarType.Float64);
                using Tensor one = ones([4], dtype: ScalarType.Float64);
                for (int i = 0; i < 5000; i++)
                {
                    x.fill_(1.0).mul_(2.0 + k).add_(one);
                    Assert.Equal(3.0 + k, x.data<double>()[0]);
                }
            });
        }
        finally
        {
            done.Cancel();
            collector.Join();
        }
    }
}
