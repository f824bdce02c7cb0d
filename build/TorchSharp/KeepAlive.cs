// Writes a copy of TorchSharp.dll in which every method that takes a Scalar or a Tensor keeps it alive until it returns.
//
// TorchSharp frees native scalars and tensors in finalizers, and reads their handle just before the native call that uses it. In optimised
// code the object is unreachable from that moment, so a garbage collection on another thread can free it under libtorch: an exception
// ("Expected false to be true"), or a wrong value. On a busy machine this happens once in about 50,000 operations with a collection per
// millisecond. In a method that is neither optimised nor inlined, the runtime keeps arguments alive until the method returns.
//
// Only the implementation flags of those methods change (ECMA-335, II.23.1.10: NoInlining 0x0008, NoOptimization 0x0040); the code does not.
//
// usage: dotnet run KeepAlive.cs -- TorchSharp.dll COPY
using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

const byte keepAlive = 0x08 | 0x40;
byte[] image = File.ReadAllBytes(args[0]);
using PEReader file = new(new MemoryStream([.. image]));
MetadataReader metadata = file.GetMetadataReader();
int table = file.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.MethodDef);
int rowSize = metadata.GetTableRowSize(TableIndex.MethodDef);
int changed = 0;
foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
{
    MethodDefinition method = metadata.GetMethodDefinition(handle);
    MethodSignature<bool> signature = method.DecodeSignature(new NativeOwners(), genericContext: null);
    bool isInstance = signature.Header.IsInstance && NativeOwners.Is(metadata, method.GetDeclaringType());
    if (method.RelativeVirtualAddress != 0 && (isInstance || signature.ParameterTypes.Any(owner => owner)))
    {
        // A row of the table: RVA (4 bytes), ImplFlags (2 bytes, little endian), ...
        image[table + ((MetadataTokens.GetRowNumber(handle) - 1) * rowSize) + 4] |= keepAlive;
        changed++;
    }
}

if (changed < 1000)
{
    Console.Error.WriteLine($"{args[0]}: only {changed} methods take a Scalar or a Tensor; this is not the TorchSharp.dll that the patch was written for.");
    return 1;
}

Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(args[1]))!);
string temporary = $"{args[1]}.{Environment.ProcessId}";
File.WriteAllBytes(temporary, image);
File.Move(temporary, args[1], overwrite: true);
return 0;

/// <summary>Decodes a type to whether it is, or contains, a class that owns native memory.</summary>
internal sealed class NativeOwners : ISignatureTypeProvider<bool, object?>
{
    public static bool Is(MetadataReader reader, TypeDefinitionHandle type) => reader.GetString(reader.GetTypeDefinition(type).Name) is "Scalar" or "Tensor";

    public bool GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => Is(reader, handle);

    public bool GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => false;

    public bool GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) => false;

    public bool GetPrimitiveType(PrimitiveTypeCode typeCode) => false;

    public bool GetArrayType(bool elementType, ArrayShape shape) => elementType;

    public bool GetSZArrayType(bool elementType) => elementType;

    public bool GetByReferenceType(bool elementType) => elementType;

    public bool GetPointerType(bool elementType) => elementType;

    public bool GetPinnedType(bool elementType) => elementType;

    public bool GetModifiedType(bool modifier, bool unmodifiedType, bool isRequired) => unmodifiedType;

    public bool GetFunctionPointerType(MethodSignature<bool> signature) => false;

    public bool GetGenericInstantiation(bool genericType, ImmutableArray<bool> typeArguments) => typeArguments.Any(owner => owner);

    public bool GetGenericMethodParameter(object? genericContext, int index) => false;

    public bool GetGenericTypeParameter(object? genericContext, int index) => false;
}
