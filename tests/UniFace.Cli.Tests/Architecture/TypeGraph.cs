using Mono.Cecil;
using Mono.Cecil.Cil;

namespace UniFace.Cli.Tests.Architecture;

/// <summary>Which namespaces of an assembly use which others, read from signatures and method bodies.</summary>
internal static class TypeGraph
{
    /// <summary>For every pair of namespaces of the assembly, a type that shows the dependency.</summary>
    public static Dictionary<(string From, string To), string> Read(string assembly)
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(assembly);
        Dictionary<(string, string), string> edges = [];
        foreach (TypeDefinition type in module.GetTypes())
        {
            TypeDefinition outer = Outermost(type);
            foreach (TypeDefinition used in References(type).SelectMany(Flatten).Where(reference => reference.Scope == module)
                .Select(reference => reference.Resolve()).OfType<TypeDefinition>().Select(Outermost))
            {
                if (used.Namespace != outer.Namespace && outer.Namespace.Length > 0 && used.Namespace.StartsWith("UniFace", StringComparison.Ordinal))
                {
                    edges.TryAdd((outer.Namespace, used.Namespace), $"{outer.Name} uses {used.Name}");
                }
            }
        }

        return edges;
    }

    private static TypeDefinition Outermost(TypeDefinition type) => type.DeclaringType is TypeDefinition outer ? Outermost(outer) : type;

    private static IEnumerable<TypeReference> References(TypeDefinition type)
    {
        IEnumerable<TypeReference?> all =
        [
            type.BaseType,
            .. type.Interfaces.Select(i => i.InterfaceType),
            .. type.GenericParameters.SelectMany(p => p.Constraints).Select(c => c.ConstraintType),
            .. type.Fields.Select(field => field.FieldType),
            .. type.Methods.SelectMany(References),
            .. type.CustomAttributes.Select(attribute => attribute.AttributeType),
        ];
        return all.OfType<TypeReference>();
    }

    private static IEnumerable<TypeReference?> References(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. method.GenericParameters.SelectMany(p => p.Constraints).Select(c => c.ConstraintType),
        .. !method.HasBody ? [] : method.Body.Variables.Select(variable => variable.VariableType),
        .. !method.HasBody ? [] : method.Body.ExceptionHandlers.Select(handler => handler.CatchType),
        .. !method.HasBody ? [] : method.Body.Instructions.SelectMany(References),
    ];

    private static IEnumerable<TypeReference?> References(Instruction instruction) => instruction.Operand switch
    {
        TypeReference type => [type],
        FieldReference field => [field.DeclaringType, field.FieldType],
        GenericInstanceMethod method => [method.DeclaringType, .. method.GenericArguments],
        MethodReference method => [method.DeclaringType, method.ReturnType, .. method.Parameters.Select(parameter => parameter.ParameterType)],
        _ => [],
    };

    /// <summary>The type, its element type and its generic arguments.</summary>
    private static IEnumerable<TypeReference> Flatten(TypeReference type) => type switch
    {
        FunctionPointerType pointer => [.. pointer.Parameters.SelectMany(parameter => Flatten(parameter.ParameterType)), .. Flatten(pointer.ReturnType)],
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Flatten)],
        TypeSpecification specification => Flatten(specification.ElementType),
        GenericParameter => [],
        _ => [type],
    };
}
