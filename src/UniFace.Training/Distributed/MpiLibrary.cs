namespace UniFace.Training.Distributed;

/// <summary>
/// The functions of an MPI library with the MPICH ABI (MPICH, Intel MPI, MVAPICH, Cray), which is loaded when the first communicator is opened.
/// </summary>
internal static unsafe class MpiLibrary
{
    /// <summary>Environment variable with the path of the library, if it is not found by its name.</summary>
    public const string PathVariable = "UNIFACE_MPI_LIBRARY";

    /// <summary>MPI_COMM_WORLD.</summary>
    public const int World = 0x44000000;

    public const int Byte = 0x4c00010d, Float = 0x4c00040a, Double = 0x4c00080b;
    public const int Sum = 0x58000003, Max = 0x58000001;
    public const int ErrorsReturn = 0x54000001;

    /// <summary>MPI_THREAD_SERIALIZED: any thread may call, one at a time.</summary>
    public const int ThreadSerialized = 2;

    /// <summary>MPI_STATUS_IGNORE.</summary>
    public static readonly nint IgnoreStatus = 1;

    /// <summary>MPI_IN_PLACE.</summary>
    public static readonly nint InPlace = -1;

    private const int MaxErrorText = 4096;
    private static readonly string[] Names = ["libmpich.so.12", "libmpi.so.12"];
    private static readonly Lazy<nint> Library = new(Load);

    /// <summary>The address of a function.</summary>
    public static nint Function(string name) => NativeLibrary.TryGetExport(Library.Value, name, out nint address)
        ? address
        : throw new UniFaceException($"The MPI library has no function {name}; install MPICH 3.3 or newer, or a library with its ABI.");

    /// <summary>Throws if a call has failed.</summary>
    /// <param name="code">What the call has returned.</param>
    /// <param name="rank">The rank that called.</param>
    /// <param name="call">The call.</param>
    public static void Check(int code, int rank, [CallerArgumentExpression(nameof(code))] string call = "")
    {
        if (code == 0)
        {
            return;
        }

        byte* text = stackalloc byte[MaxErrorText];
        int length = 0;
        ((delegate* unmanaged[Cdecl]<int, byte*, int*, int>)Function("MPI_Error_string"))(code, text, &length);
        string reason = Encoding.UTF8.GetString(text, length).ReplaceLineEndings(" ");
        throw new UniFaceException($"MPI failed on rank {rank} in {call.Split('(')[0]}: {reason}. Another rank may have ended; its message says why.");
    }

    private static nint Load()
    {
        string? given = Environment.GetEnvironmentVariable(PathVariable);
        foreach (string name in given is { Length: > 0 } ? [given] : Names)
        {
            if (NativeLibrary.TryLoad(name, out nint library))
            {
                return NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out _)
                    ? throw new UniFaceException(
                        $"{name} is Open MPI, whose ABI is another; start with the mpiexec of MPICH, Intel MPI, MVAPICH or Cray MPI, or name " +
                        $"the library in {PathVariable}.")
                    : library;
            }
        }

        throw new UniFaceException(
            $"The process was started by mpiexec, and no MPI library was found (tried {string.Join(", ", given is { Length: > 0 } ? [given] : Names)}). " +
            $"Install MPICH (Debian, Ubuntu: sudo apt-get install mpich), or name the library in {PathVariable}.");
    }
}
