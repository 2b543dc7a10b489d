// The id of a surface (low and high word), its depth, and what it is.

out uvec4 o_pick;

uniform uvec2 u_id;
uniform uint u_kind;

void main()
{
    o_pick = uvec4(u_id, floatBitsToUint(gl_FragCoord.z), u_kind);
}
