namespace UniFace.Training.Distributed;

/// <summary>Reductions that MPI does not have, as MPI calls them: (in, inout, count, type).</summary>
internal static unsafe class MpiReductions
{
    /// <summary>The largest value of a float64, and the logarithm of the sum of the exponentials.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void LogSumExp(double* from, double* to, int* count, int* type)
    {
        for (int i = 0; i < *count; i++)
        {
            double high = Math.Max(from[i], to[i]), low = Math.Min(from[i], to[i]);
            to[i] = double.IsNegativeInfinity(high) ? high : high + Math.Log(1 + Math.Exp(low - high));
        }
    }

    /// <summary>Rows of floats, which are the elements of the type: sums, and the largest value in the last column.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static void RowSum(float* from, float* to, int* count, int* type)
    {
        int bytes = 0;
        _ = ((delegate* unmanaged[Cdecl]<int, int*, int>)MpiLibrary.Function("MPI_Type_size"))(*type, &bytes);
        int width = bytes / sizeof(float);
        for (int row = 0; row < *count; row++, from += width, to += width)
        {
            Span<float> sums = new(to, width - 1);
            TensorPrimitives.Add(sums, new ReadOnlySpan<float>(from, width - 1), sums);
            to[width - 1] = MathF.Max(from[width - 1], to[width - 1]);
        }
    }
}
