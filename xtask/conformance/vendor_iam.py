"""The vendor's SDK for the identity service, unmodified, signs in at the mock server.

From a password to a token, from the token to temporary keys, with which the SDK for DataArts Fabric calls until
they expire by the clock of the mock server. Argument: the endpoint of the mock server.
"""

import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkdataartsfabric.v1 import DataArtsFabricClient, ListWorkspacesRequest
from huaweicloudsdkiam.v3 import *

from control import advance_clock

PROJECT = "cn-north-4"


def fails(status, call, *arguments):
    try:
        call(*arguments)
    except ClientRequestException as error:
        assert error.status_code == status, error
        return error
    raise AssertionError(f"{arguments} was let in")


def sign_in(password, scope):
    user = PwdPasswordUser(PwdPasswordUserDomain("conformance"), "ada", password)
    auth = PwdAuth(PwdIdentity(["password"], PwdPassword(user)), scope)
    body = KeystoneCreateUserTokenByPasswordRequestBody(auth)
    return KeystoneCreateUserTokenByPasswordRequest(nocatalog="true", body=body)


def main(endpoint):
    # The SDK signs every call, so it has a key here; what signs in is the password.
    credentials = GlobalCredentials("AKIDCONFORMANCE", "the-secret-of-conformance", "conformance")
    iam = IamClient.new_builder().with_credentials(credentials).with_endpoint(endpoint).build()

    scope = AuthScope(project=AuthScopeProject(name=PROJECT))
    answer = iam.keystone_create_user_token_by_password(sign_in("the password of Ada", scope))
    token = answer.x_subject_token
    assert answer.status_code == 201 and token, answer
    assert answer.token.user.name == "ada" and answer.token.methods == ["password"], answer.token
    assert answer.token.project.name == PROJECT, answer.token
    assert answer.token.issued_at < answer.token.expires_at, answer.token
    project_id = answer.token.project.id
    error = fails(401, iam.keystone_create_user_token_by_password, sign_in("wrong", scope))
    assert error.error_msg, error
    print("  KeystoneCreateUserTokenByPassword: 201 with a token of the project; a wrong password 401")

    listing = iam.keystone_list_projects_invoker(KeystoneListProjectsRequest(name=PROJECT))
    projects = listing.add_header("X-Auth-Token", token).invoke().projects
    assert [(found.id, found.name) for found in projects] == [(project_id, PROJECT)], projects
    print("  KeystoneListProjects: the one project of that name, the same as in the token")

    identity = TokenAuthIdentity(["token"], IdentityToken(token, 900))
    body = CreateTemporaryAccessKeyByTokenRequestBody(TokenAuth(identity))
    request = CreateTemporaryAccessKeyByTokenRequest(body)
    temporary = iam.create_temporary_access_key_by_token(request).credential
    assert temporary.access and temporary.secret and temporary.securitytoken, temporary
    print("  CreateTemporaryAccessKeyByToken: a key with a secret and a security token, for 15 minutes")

    def fabric(security_token):
        key = BasicCredentials(temporary.access, temporary.secret, project_id)
        builder = DataArtsFabricClient.new_builder().with_endpoint(endpoint)
        return builder.with_credentials(key.with_security_token(security_token)).build()

    assert fabric(temporary.securitytoken).list_workspaces(ListWorkspacesRequest()).total == 0
    fails(401, fabric("another").list_workspaces, ListWorkspacesRequest())
    advance_clock(endpoint, "14m")
    assert fabric(temporary.securitytoken).list_workspaces(ListWorkspacesRequest()).total == 0
    advance_clock(endpoint, "2m")
    # The clock is ahead of the SDK's by more than signatures may be off, so that this tells of the date.
    error = fails(401, fabric(temporary.securitytoken).list_workspaces, ListWorkspacesRequest())
    print(f"  the temporary key signs calls for its time, and then no longer: {error.error_code}")


main(*sys.argv[1:])
